-- One row per kind of model call and whether it is hidden: exact sums over all tasks and hours.
-- Kept by the fold, so that a report on everything reads few rows, however many tasks there are. What is
-- summed is told by call_sum: what is not reported counts as zero, with the count of those that report it
-- beside.
--   region                       cloud region, where the host tells
--   provider                     who answered, as gen_ai.provider.name
--   model                        model that answered, else the one that was asked for
--   role                         main, subagent, tool, retry, summary, title, router, guard, embedding, ...
--   hidden                       nobody reads the output as the answer of the task
--   status                       ok, error or unset
--   usage                        who says the tokens: reported, partial, estimated or missing
--   capture                      what saw the calls: wire, frame, otlp or log
--   outcome                      complete, incomplete, abandoned or interrupted; NULL where nothing says
--   calls                        model calls
--   retry_calls                  calls that are not the first attempt of their operation
--   unpriced_calls               calls whose usage lacks a side
--   total_tokens                 sum of input and output together
--   total_tokens_calls           calls that report a side of it
--   input_tokens                 sum of the tokens sent, cache reads and writes included
--   input_tokens_calls           calls that report input_tokens
--   input_uncached_tokens        sum of the part of input_tokens neither read from a cache nor written to one
--   cache_read_tokens            sum of the part of input_tokens read from a prompt cache
--   cache_read_tokens_calls      calls that report cache_read_tokens
--   cache_write_tokens           sum of the part of input_tokens written to a prompt cache
--   cache_write_tokens_calls     calls that report cache_write_tokens
--   cache_write_1h_tokens        sum of the part of cache_write_tokens kept for an hour
--   cache_write_1h_tokens_calls  calls that report cache_write_1h_tokens
--   output_tokens                sum of the tokens generated, reasoning included
--   output_tokens_calls          calls that report output_tokens
--   reasoning_tokens             sum of the part of output_tokens that is reasoning
--   reasoning_tokens_calls       calls that report reasoning_tokens
--   input_audio_tokens           sum of the part of input_tokens that is audio
--   input_audio_tokens_calls     calls that report input_audio_tokens
--   input_image_tokens           sum of the part of input_tokens that is images
--   input_image_tokens_calls     calls that report input_image_tokens
--   output_audio_tokens          sum of the part of output_tokens that is audio
--   output_audio_tokens_calls    calls that report output_audio_tokens
--   output_image_tokens          sum of the part of output_tokens that is images
--   output_image_tokens_calls    calls that report output_image_tokens
--   uncached                     sum of n_u: input tokens not read from a cache
--   uncached_context_x2          sum of n_u * (2 * n_c + n_u), twice the moment
--   cached                       sum of n_c: input tokens read from a cache
--   output                       sum of n_o: output tokens, reasoning included
--   output_context_x2            sum of n_o * (2 * (n_c + n_u) + n_o), twice the moment
--   output_calls                 calls whose n_o is known: reported, or none by nature
--   duration_ns                  sum of nanoseconds from the request to the end of the response
--   duration_ns_calls            calls whose duration is known
--   cost_usd                     sum of US dollars that providers say they charged
--   cost_usd_calls               calls that say what they cost
--   first_started_at             start of the first of them, UTC
--   last_started_at              start of the last of them, UTC
SELECT
    call_rollup.region,
    call_rollup.provider,
    call_rollup.model,
    call_rollup.role,
    call_rollup.hidden,
    call_rollup.status,
    call_rollup.usage,
    call_rollup.capture,
    call_rollup.outcome,
    sum(call_rollup.calls)::BIGINT AS calls,
    sum(call_rollup.retry_calls)::BIGINT AS retry_calls,
    sum(call_rollup.unpriced_calls)::BIGINT AS unpriced_calls,
    sum(call_rollup.total_tokens)::BIGINT AS total_tokens,
    sum(call_rollup.total_tokens_calls)::BIGINT AS total_tokens_calls,
    sum(call_rollup.input_tokens)::BIGINT AS input_tokens,
    sum(call_rollup.input_tokens_calls)::BIGINT AS input_tokens_calls,
    sum(call_rollup.input_uncached_tokens)::BIGINT AS input_uncached_tokens,
    sum(call_rollup.cache_read_tokens)::BIGINT AS cache_read_tokens,
    sum(call_rollup.cache_read_tokens_calls)::BIGINT AS cache_read_tokens_calls,
    sum(call_rollup.cache_write_tokens)::BIGINT AS cache_write_tokens,
    sum(call_rollup.cache_write_tokens_calls)::BIGINT AS cache_write_tokens_calls,
    sum(call_rollup.cache_write_1h_tokens)::BIGINT AS cache_write_1h_tokens,
    sum(call_rollup.cache_write_1h_tokens_calls)::BIGINT AS cache_write_1h_tokens_calls,
    sum(call_rollup.output_tokens)::BIGINT AS output_tokens,
    sum(call_rollup.output_tokens_calls)::BIGINT AS output_tokens_calls,
    sum(call_rollup.reasoning_tokens)::BIGINT AS reasoning_tokens,
    sum(call_rollup.reasoning_tokens_calls)::BIGINT AS reasoning_tokens_calls,
    sum(call_rollup.input_audio_tokens)::BIGINT AS input_audio_tokens,
    sum(call_rollup.input_audio_tokens_calls)::BIGINT AS input_audio_tokens_calls,
    sum(call_rollup.input_image_tokens)::BIGINT AS input_image_tokens,
    sum(call_rollup.input_image_tokens_calls)::BIGINT AS input_image_tokens_calls,
    sum(call_rollup.output_audio_tokens)::BIGINT AS output_audio_tokens,
    sum(call_rollup.output_audio_tokens_calls)::BIGINT AS output_audio_tokens_calls,
    sum(call_rollup.output_image_tokens)::BIGINT AS output_image_tokens,
    sum(call_rollup.output_image_tokens_calls)::BIGINT AS output_image_tokens_calls,
    sum(call_rollup.uncached)::BIGINT AS uncached,
    sum(call_rollup.uncached_context_x2) AS uncached_context_x2,
    sum(call_rollup.cached)::BIGINT AS cached,
    sum(call_rollup.output)::BIGINT AS output,
    sum(call_rollup.output_context_x2) AS output_context_x2,
    sum(call_rollup.output_calls)::BIGINT AS output_calls,
    sum(call_rollup.duration_ns) AS duration_ns,
    sum(call_rollup.duration_ns_calls)::BIGINT AS duration_ns_calls,
    sum(call_rollup.cost_usd)::DECIMAL(38, 9) AS cost_usd,
    sum(call_rollup.cost_usd_calls)::BIGINT AS cost_usd_calls,
    min(call_rollup.first_started_at) AS first_started_at,
    max(call_rollup.last_started_at) AS last_started_at
FROM call_rollup
GROUP BY ALL
HAVING sum(call_rollup.calls) > 0
