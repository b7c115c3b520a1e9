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
WITH
call AS (
    SELECT
        counted_call.task_id,
        counted_call.judged,
        counted_call.started_at,
        counted_call.provider,
        counted_call.model,
        counted_call.duration_ns,
        counted_call.time_to_first_token_ns,
        counted_call.n_u AS uncached,
        counted_call.n_c AS cached,
        counted_call.n_o AS output
    FROM counted_call
    WHERE counted_call.usage = 'reported'
)

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
    UNPIVOT call
    -- Names cannot be qualified here.
    ON duration_ns, time_to_first_token_ns, uncached, cached, output -- noqa: RF03
    INTO NAME measure VALUE value
) AS measured
GROUP BY ALL
