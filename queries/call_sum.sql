-- One row per task, hour and kind of model call: exact sums over the calls, none of a price or a factor.
-- Kept by the fold, so that no report needs to look at the calls. Which call of a task is its answer is known
-- last, so call_rollup tells what is hidden. A sum takes what is not reported for zero, and the count beside
-- it (input_tokens_calls) tells how many report it: none is not the same as zero.
--   task_id                      task of the calls; the trace id where no task was recorded
--   hour                         hour in which they started, UTC
--   region                       cloud region, where the host tells
--   provider                     who answered, as gen_ai.provider.name
--   model                        model that answered, else the one that was asked for
--   agent                        name of the nearest enclosing agent
--   agent_depth                  agents around the call: 0 none, 1 inside the root agent
--   role                         main, subagent, tool, retry, summary, title, router, guard, embedding, ...
--   visible                      marked by the user: a person reads the output or not; NULL where nobody said
--   status                       ok, error or unset
--   usage                        who says the tokens: reported, partial, estimated or missing
--   capture                      what saw the calls: wire, frame, otlp or log
--   outcome                      complete, incomplete, abandoned or interrupted; NULL where nothing says
--   judged                       whether they count depends on other spans, so it may change when more arrive
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
    counted_call.task_id,
    date_trunc('hour', counted_call.started_at) AS hour,
    counted_call.region,
    counted_call.provider,
    counted_call.model,
    counted_call.agent,
    counted_call.agent_depth,
    counted_call.role,
    counted_call.visible,
    counted_call.status,
    counted_call.usage,
    counted_call.capture,
    counted_call.outcome,
    counted_call.judged,
    count(*) AS calls,
    count(*) FILTER (WHERE counted_call.attempt > 1) AS retry_calls,
    count(*) FILTER (WHERE counted_call.n_u IS NULL OR counted_call.n_o IS NULL) AS unpriced_calls,
    sum(coalesce(counted_call.total_tokens, 0))::BIGINT AS total_tokens,
    count(*) FILTER (WHERE counted_call.total_tokens IS NOT NULL) AS total_tokens_calls,
    sum(coalesce(counted_call.input_tokens, 0))::BIGINT AS input_tokens,
    count(*) FILTER (WHERE counted_call.input_tokens IS NOT NULL) AS input_tokens_calls,
    sum(
        coalesce(
            counted_call.input_tokens
            - coalesce(counted_call.cache_read_tokens, 0)
            - coalesce(counted_call.cache_write_tokens, 0),
            0
        )
    )::BIGINT AS input_uncached_tokens,
    sum(coalesce(counted_call.cache_read_tokens, 0))::BIGINT AS cache_read_tokens,
    count(*) FILTER (WHERE counted_call.cache_read_tokens IS NOT NULL) AS cache_read_tokens_calls,
    sum(coalesce(counted_call.cache_write_tokens, 0))::BIGINT AS cache_write_tokens,
    count(*) FILTER (WHERE counted_call.cache_write_tokens IS NOT NULL) AS cache_write_tokens_calls,
    sum(coalesce(counted_call.cache_write_1h_tokens, 0))::BIGINT AS cache_write_1h_tokens,
    count(*) FILTER (WHERE counted_call.cache_write_1h_tokens IS NOT NULL) AS cache_write_1h_tokens_calls,
    sum(coalesce(counted_call.output_tokens, 0))::BIGINT AS output_tokens,
    count(*) FILTER (WHERE counted_call.output_tokens IS NOT NULL) AS output_tokens_calls,
    sum(coalesce(counted_call.reasoning_tokens, 0))::BIGINT AS reasoning_tokens,
    count(*) FILTER (WHERE counted_call.reasoning_tokens IS NOT NULL) AS reasoning_tokens_calls,
    sum(coalesce(counted_call.input_audio_tokens, 0))::BIGINT AS input_audio_tokens,
    count(*) FILTER (WHERE counted_call.input_audio_tokens IS NOT NULL) AS input_audio_tokens_calls,
    sum(coalesce(counted_call.input_image_tokens, 0))::BIGINT AS input_image_tokens,
    count(*) FILTER (WHERE counted_call.input_image_tokens IS NOT NULL) AS input_image_tokens_calls,
    sum(coalesce(counted_call.output_audio_tokens, 0))::BIGINT AS output_audio_tokens,
    count(*) FILTER (WHERE counted_call.output_audio_tokens IS NOT NULL) AS output_audio_tokens_calls,
    sum(coalesce(counted_call.output_image_tokens, 0))::BIGINT AS output_image_tokens,
    count(*) FILTER (WHERE counted_call.output_image_tokens IS NOT NULL) AS output_image_tokens_calls,
    sum(coalesce(counted_call.n_u, 0))::BIGINT AS uncached,
    sum(
        coalesce(counted_call.n_u::HUGEINT * (2 * counted_call.n_c + counted_call.n_u), 0)
    ) AS uncached_context_x2,
    sum(coalesce(counted_call.n_c, 0))::BIGINT AS cached,
    sum(coalesce(counted_call.n_o, 0))::BIGINT AS output,
    sum(
        coalesce(
            counted_call.n_o::HUGEINT
            * (2 * coalesce(counted_call.n_c + counted_call.n_u, 0) + counted_call.n_o),
            0
        )
    ) AS output_context_x2,
    count(*) FILTER (WHERE counted_call.n_o IS NOT NULL) AS output_calls,
    sum(coalesce(counted_call.duration_ns, 0)) AS duration_ns,
    count(*) FILTER (WHERE counted_call.duration_ns IS NOT NULL) AS duration_ns_calls,
    sum(coalesce(counted_call.cost_usd, 0)::DECIMAL(38, 9))::DECIMAL(38, 9) AS cost_usd,
    count(*) FILTER (WHERE counted_call.cost_usd IS NOT NULL) AS cost_usd_calls,
    min(counted_call.started_at) AS first_started_at,
    max(counted_call.started_at) AS last_started_at
FROM counted_call
GROUP BY ALL
