-- One row per thing that the figures rest on, or that is missing from them, and how often it was found.
-- The rows of aspect record are always there; on an empty store they are zero and the only ones.
--   aspect   usage, capture, outcome or status of the calls; unreported kinds of token; record
--   value    what was found: reported, wire, abandoned, error, cache_read_tokens, quarantined, ...
--   count    model calls, or for record: spans kept, records quarantined, records lost
WITH
call_state AS (
    SELECT
        call_total.usage,
        call_total.capture,
        coalesce(call_total.outcome, 'unknown') AS outcome,
        call_total.status,
        sum(call_total.calls) AS calls,
        sum(call_total.calls - call_total.input_tokens_calls) AS input_tokens,
        sum(call_total.calls - call_total.cache_read_tokens_calls) AS cache_read_tokens,
        sum(call_total.calls - call_total.cache_write_tokens_calls) AS cache_write_tokens,
        sum(call_total.calls - call_total.output_tokens_calls) AS output_tokens,
        sum(call_total.calls - call_total.reasoning_tokens_calls) AS reasoning_tokens
    FROM call_total
    GROUP BY call_total.usage, call_total.capture, call_total.outcome, call_total.status
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
        ON input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens
        INTO NAME value VALUE count
    ) AS kind
    UNION ALL
    SELECT
        'record' AS aspect,
        'kept' AS value,
        coalesce(sum(task_sum.spans), 0) AS count
    FROM task_sum
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
