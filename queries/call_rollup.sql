-- One row per task, hour, kind of model call and whether it is hidden: exact sums, to be added up.
-- The calls of a task are hidden but for the answer that a person reads. Which one that is may change as
-- long as the task goes on, so it is taken out of the hidden ones here: such a row counts less than nothing,
-- and only sums over rows mean something. A sum takes what is not reported for zero, and the count beside it
-- (input_tokens_calls) tells how many report it: none is not the same as zero.
--   task_id                      task of the calls; the trace id where no task was recorded
--   hour                         hour in which they started, UTC
--   region                       cloud region, where the host tells
--   provider                     who answered, as gen_ai.provider.name
--   model                        model that answered, else the one that was asked for
--   agent                        name of the nearest enclosing agent
--   agent_depth                  agents around the call: 0 none, 1 inside the root agent
--   role                         main, subagent, tool, retry, summary, title, router, guard, embedding, ...
--   hidden                       nobody reads the output as the answer of the task
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
WITH
visible_call AS (
    SELECT
        answer.task_id,
        date_trunc('hour', answer.call.started_at) AS hour,
        answer.call.region,
        answer.call.provider,
        answer.call.model,
        answer.call.agent,
        answer.call.agent_depth,
        answer.call.role,
        answer.call.status,
        answer.call.usage,
        answer.call.capture,
        answer.call.outcome,
        answer.call.judged,
        1 AS calls,
        (answer.call.attempt > 1)::BIGINT AS retry_calls,
        (answer.call.n_u IS NULL OR answer.call.n_o IS NULL)::BIGINT AS unpriced_calls,
        coalesce(answer.call.total_tokens, 0) AS total_tokens,
        (answer.call.total_tokens IS NOT NULL)::BIGINT AS total_tokens_calls,
        coalesce(answer.call.input_tokens, 0) AS input_tokens,
        (answer.call.input_tokens IS NOT NULL)::BIGINT AS input_tokens_calls,
        coalesce(
            answer.call.input_tokens
            - coalesce(answer.call.cache_read_tokens, 0)
            - coalesce(answer.call.cache_write_tokens, 0),
            0
        ) AS input_uncached_tokens,
        coalesce(answer.call.cache_read_tokens, 0) AS cache_read_tokens,
        (answer.call.cache_read_tokens IS NOT NULL)::BIGINT AS cache_read_tokens_calls,
        coalesce(answer.call.cache_write_tokens, 0) AS cache_write_tokens,
        (answer.call.cache_write_tokens IS NOT NULL)::BIGINT AS cache_write_tokens_calls,
        coalesce(answer.call.cache_write_1h_tokens, 0) AS cache_write_1h_tokens,
        (answer.call.cache_write_1h_tokens IS NOT NULL)::BIGINT AS cache_write_1h_tokens_calls,
        coalesce(answer.call.output_tokens, 0) AS output_tokens,
        (answer.call.output_tokens IS NOT NULL)::BIGINT AS output_tokens_calls,
        coalesce(answer.call.reasoning_tokens, 0) AS reasoning_tokens,
        (answer.call.reasoning_tokens IS NOT NULL)::BIGINT AS reasoning_tokens_calls,
        coalesce(answer.call.input_audio_tokens, 0) AS input_audio_tokens,
        (answer.call.input_audio_tokens IS NOT NULL)::BIGINT AS input_audio_tokens_calls,
        coalesce(answer.call.input_image_tokens, 0) AS input_image_tokens,
        (answer.call.input_image_tokens IS NOT NULL)::BIGINT AS input_image_tokens_calls,
        coalesce(answer.call.output_audio_tokens, 0) AS output_audio_tokens,
        (answer.call.output_audio_tokens IS NOT NULL)::BIGINT AS output_audio_tokens_calls,
        coalesce(answer.call.output_image_tokens, 0) AS output_image_tokens,
        (answer.call.output_image_tokens IS NOT NULL)::BIGINT AS output_image_tokens_calls,
        coalesce(answer.call.n_u, 0) AS uncached,
        coalesce(
            answer.call.n_u::HUGEINT * (2 * answer.call.n_c + answer.call.n_u), 0
        ) AS uncached_context_x2,
        coalesce(answer.call.n_c, 0) AS cached,
        coalesce(answer.call.n_o, 0) AS output,
        coalesce(
            answer.call.n_o::HUGEINT
            * (2 * coalesce(answer.call.n_c + answer.call.n_u, 0) + answer.call.n_o),
            0
        ) AS output_context_x2,
        (answer.call.n_o IS NOT NULL)::BIGINT AS output_calls,
        coalesce(answer.call.duration_ns, 0) AS duration_ns,
        (answer.call.duration_ns IS NOT NULL)::BIGINT AS duration_ns_calls,
        coalesce(answer.call.cost_usd, 0)::DECIMAL(38, 9) AS cost_usd,
        (answer.call.cost_usd IS NOT NULL)::BIGINT AS cost_usd_calls,
        answer.call.started_at AS first_started_at,
        answer.call.started_at AS last_started_at
    FROM task_answer AS answer
    WHERE answer.call IS NOT NULL
    UNION ALL BY NAME
    SELECT call_sum.* EXCLUDE (call_sum.visible)
    FROM call_sum
    WHERE call_sum.visible
)

SELECT
    call_sum.task_id,
    call_sum.hour,
    call_sum.region,
    call_sum.provider,
    call_sum.model,
    call_sum.agent,
    call_sum.agent_depth,
    call_sum.role,
    TRUE AS hidden,
    call_sum.status,
    call_sum.usage,
    call_sum.capture,
    call_sum.outcome,
    call_sum.judged,
    call_sum.calls,
    call_sum.retry_calls,
    call_sum.unpriced_calls,
    call_sum.total_tokens,
    call_sum.total_tokens_calls,
    call_sum.input_tokens,
    call_sum.input_tokens_calls,
    call_sum.input_uncached_tokens,
    call_sum.cache_read_tokens,
    call_sum.cache_read_tokens_calls,
    call_sum.cache_write_tokens,
    call_sum.cache_write_tokens_calls,
    call_sum.cache_write_1h_tokens,
    call_sum.cache_write_1h_tokens_calls,
    call_sum.output_tokens,
    call_sum.output_tokens_calls,
    call_sum.reasoning_tokens,
    call_sum.reasoning_tokens_calls,
    call_sum.input_audio_tokens,
    call_sum.input_audio_tokens_calls,
    call_sum.input_image_tokens,
    call_sum.input_image_tokens_calls,
    call_sum.output_audio_tokens,
    call_sum.output_audio_tokens_calls,
    call_sum.output_image_tokens,
    call_sum.output_image_tokens_calls,
    call_sum.uncached,
    call_sum.uncached_context_x2,
    call_sum.cached,
    call_sum.output,
    call_sum.output_context_x2,
    call_sum.output_calls,
    call_sum.duration_ns,
    call_sum.duration_ns_calls,
    call_sum.cost_usd,
    call_sum.cost_usd_calls,
    call_sum.first_started_at,
    call_sum.last_started_at
FROM call_sum
UNION ALL
SELECT
    visible_call.task_id,
    visible_call.hour,
    visible_call.region,
    visible_call.provider,
    visible_call.model,
    visible_call.agent,
    visible_call.agent_depth,
    visible_call.role,
    side.hidden,
    visible_call.status,
    visible_call.usage,
    visible_call.capture,
    visible_call.outcome,
    visible_call.judged,
    side.sign * visible_call.calls AS calls,
    side.sign * visible_call.retry_calls AS retry_calls,
    side.sign * visible_call.unpriced_calls AS unpriced_calls,
    side.sign * visible_call.total_tokens AS total_tokens,
    side.sign * visible_call.total_tokens_calls AS total_tokens_calls,
    side.sign * visible_call.input_tokens AS input_tokens,
    side.sign * visible_call.input_tokens_calls AS input_tokens_calls,
    side.sign * visible_call.input_uncached_tokens AS input_uncached_tokens,
    side.sign * visible_call.cache_read_tokens AS cache_read_tokens,
    side.sign * visible_call.cache_read_tokens_calls AS cache_read_tokens_calls,
    side.sign * visible_call.cache_write_tokens AS cache_write_tokens,
    side.sign * visible_call.cache_write_tokens_calls AS cache_write_tokens_calls,
    side.sign * visible_call.cache_write_1h_tokens AS cache_write_1h_tokens,
    side.sign * visible_call.cache_write_1h_tokens_calls AS cache_write_1h_tokens_calls,
    side.sign * visible_call.output_tokens AS output_tokens,
    side.sign * visible_call.output_tokens_calls AS output_tokens_calls,
    side.sign * visible_call.reasoning_tokens AS reasoning_tokens,
    side.sign * visible_call.reasoning_tokens_calls AS reasoning_tokens_calls,
    side.sign * visible_call.input_audio_tokens AS input_audio_tokens,
    side.sign * visible_call.input_audio_tokens_calls AS input_audio_tokens_calls,
    side.sign * visible_call.input_image_tokens AS input_image_tokens,
    side.sign * visible_call.input_image_tokens_calls AS input_image_tokens_calls,
    side.sign * visible_call.output_audio_tokens AS output_audio_tokens,
    side.sign * visible_call.output_audio_tokens_calls AS output_audio_tokens_calls,
    side.sign * visible_call.output_image_tokens AS output_image_tokens,
    side.sign * visible_call.output_image_tokens_calls AS output_image_tokens_calls,
    side.sign * visible_call.uncached AS uncached,
    side.sign * visible_call.uncached_context_x2 AS uncached_context_x2,
    side.sign * visible_call.cached AS cached,
    side.sign * visible_call.output AS output,
    side.sign * visible_call.output_context_x2 AS output_context_x2,
    side.sign * visible_call.output_calls AS output_calls,
    side.sign * visible_call.duration_ns AS duration_ns,
    side.sign * visible_call.duration_ns_calls AS duration_ns_calls,
    side.sign * visible_call.cost_usd AS cost_usd,
    side.sign * visible_call.cost_usd_calls AS cost_usd_calls,
    CASE WHEN side.sign > 0 THEN visible_call.first_started_at END AS first_started_at,
    CASE WHEN side.sign > 0 THEN visible_call.last_started_at END AS last_started_at
FROM visible_call
CROSS JOIN (
    VALUES
    (TRUE, -1),
    (FALSE, 1)
) AS side (hidden, sign)
