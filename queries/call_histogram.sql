-- One row per day, model, measure and bucket of a logarithmic histogram: how many calls fall into it.
-- Kept by the fold, for percentiles over any number of calls. A bucket is 2 % wide: the values around
-- exp(bucket / 50); what is zero has none. Of calls whose tokens are not reported it knows nothing.
--   task_id    task of the calls where they are judged; NULL for all others together
--   judged     whether they count depends on other spans, so it may change when more arrive
--   day        day on which they started, UTC
--   provider   who answered
--   model      model that answered, else the one that was asked for
--   measure    duration_ns, time_to_first_token_ns, or tokens of a kind: uncached, cached, output
--   bucket     round(50 * ln(value)); NULL for a value of zero
--   calls      model calls
SELECT
    CASE WHEN measured.judged THEN measured.task_id END AS task_id,
    measured.judged,
    measured.started_at::DATE AS day,
    measured.provider,
    measured.model,
    measured.measure,
    CASE WHEN measured.value > 0 THEN round(50 * ln(measured.value))::SMALLINT END AS bucket,
    count(*) AS calls
FROM (
    SELECT
        counted_call.task_id,
        counted_call.judged,
        counted_call.provider,
        counted_call.model,
        counted_call.started_at,
        counted_call.usage,
        'duration_ns' AS measure,
        counted_call.duration_ns AS value
    FROM counted_call
    UNION ALL
    SELECT
        counted_call.task_id,
        counted_call.judged,
        counted_call.provider,
        counted_call.model,
        counted_call.started_at,
        counted_call.usage,
        'time_to_first_token_ns' AS measure,
        counted_call.time_to_first_token_ns AS value
    FROM counted_call
    UNION ALL
    SELECT
        counted_call.task_id,
        counted_call.judged,
        counted_call.provider,
        counted_call.model,
        counted_call.started_at,
        counted_call.usage,
        'uncached' AS measure,
        counted_call.n_u AS value
    FROM counted_call
    UNION ALL
    SELECT
        counted_call.task_id,
        counted_call.judged,
        counted_call.provider,
        counted_call.model,
        counted_call.started_at,
        counted_call.usage,
        'cached' AS measure,
        counted_call.n_c AS value
    FROM counted_call
    UNION ALL
    SELECT
        counted_call.task_id,
        counted_call.judged,
        counted_call.provider,
        counted_call.model,
        counted_call.started_at,
        counted_call.usage,
        'output' AS measure,
        counted_call.n_o AS value
    FROM counted_call
) AS measured
WHERE measured.usage = 'reported' AND measured.value IS NOT NULL
GROUP BY ALL
