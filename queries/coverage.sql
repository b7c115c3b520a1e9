-- One row per thing that the figures rest on, or that is missing from them, and how often it was found.
-- The rows of aspect record are always there; on an empty store they are zero and the only ones.
--   aspect   usage, capture, outcome or status of the calls; unreported kinds of token; record
--   value    what was found: reported, wire, abandoned, error, cache_read_tokens, quarantined, ...
--   count    model calls, or for record: spans kept, records quarantined, records lost
WITH
call_state AS (
    SELECT
        model_call.usage,
        model_call.capture,
        coalesce(model_call.outcome, 'unknown') AS outcome,
        model_call.status,
        count(*) AS calls,
        count(*) FILTER (WHERE model_call.input_tokens IS NULL) AS input_tokens,
        count(*) FILTER (WHERE model_call.cache_read_tokens IS NULL) AS cache_read_tokens,
        count(*) FILTER (WHERE model_call.cache_write_tokens IS NULL) AS cache_write_tokens,
        count(*) FILTER (WHERE model_call.output_tokens IS NULL) AS output_tokens,
        count(*) FILTER (WHERE model_call.reasoning_tokens IS NULL) AS reasoning_tokens
    FROM model_call
    GROUP BY model_call.usage, model_call.capture, model_call.outcome, model_call.status
),

found AS (
    SELECT
        'usage' AS aspect,
        call_state.usage AS value,
        call_state.calls AS count
    FROM call_state
    UNION ALL
    SELECT
        'capture' AS aspect,
        call_state.capture AS value,
        call_state.calls AS count
    FROM call_state
    UNION ALL
    SELECT
        'outcome' AS aspect,
        call_state.outcome AS value,
        call_state.calls AS count
    FROM call_state
    UNION ALL
    SELECT
        'status' AS aspect,
        call_state.status AS value,
        call_state.calls AS count
    FROM call_state
    UNION ALL
    SELECT
        'unreported' AS aspect,
        kind.value,
        kind.count
    FROM (
        UNPIVOT (
            SELECT
                call_state.input_tokens,
                call_state.cache_read_tokens,
                call_state.cache_write_tokens,
                call_state.output_tokens,
                call_state.reasoning_tokens
            FROM call_state
        )
        ON COLUMNS(*) INTO NAME value VALUE count
    ) AS kind
    UNION ALL
    SELECT
        'record' AS aspect,
        'kept' AS value,
        count(*) AS count
    FROM span
    UNION ALL
    SELECT
        'record' AS aspect,
        'quarantined' AS value,
        count(*) AS count
    FROM quarantine
    UNION ALL
    SELECT
        'record' AS aspect,
        'lost' AS value,
        coalesce(sum(lost.records), 0) AS count
    FROM lost
)

SELECT
    found.aspect,
    found.value,
    sum(found.count)::BIGINT AS count
FROM found
GROUP BY found.aspect, found.value
