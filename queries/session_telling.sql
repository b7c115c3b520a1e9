-- One row per session and who told of its calls: what each source says by itself.
-- To hold sources against one another, so what one tells of a call is here whether it counts or another's
-- telling does. What it tells of one call several times is here once, with the most output.
--   session_id          conversation of the calls
--   capture             who told: wire, frame, otlp or log
--   calls               calls that it tells of
--   input_tokens        tokens sent, cache reads and writes included; NULL where it says none
--   cache_read_tokens   part of input_tokens read from a prompt cache; NULL where it says none
--   cache_write_tokens  part of input_tokens written to a prompt cache; NULL where it says none
--   output_tokens       tokens generated, reasoning included; NULL where it says none
--   reasoning_tokens    part of output_tokens that is reasoning; NULL where it says none
--   service_name        of the first that told, by its name
--   first_started_at    start of the first of them, UTC
WITH
told AS (
    SELECT
        span.*,
        coalesce(span.capture, 'frame') AS teller
    FROM span
    WHERE
        span.kind = 'inference'
        AND span.session_id IS NOT NULL
        AND span.counted IS NOT FALSE
        AND coalesce(span.operation, '') <> 'fetch_response'
        AND span.outcome IS DISTINCT FROM 'cached'
    -- Telemetry may say a call in a span and in an event; a log's ids are those of the calls.
    QUALIFY row_number() OVER (
        PARTITION BY
            span.session_id,
            teller,
            CASE
                WHEN teller = 'otlp'
                    THEN coalesce(nullif(span.request_id, ''), nullif(span.response_id, ''), span.span_id)
                ELSE span.span_id
            END,
            CASE WHEN teller NOT IN ('otlp', 'log') THEN span.start_ns END
        ORDER BY span.output_tokens DESC NULLS LAST, span.duration_ns DESC NULLS LAST, span.start_ns ASC
    ) = 1
)

SELECT
    told.session_id,
    told.teller AS capture,
    count(*) AS calls,
    sum(told.input_tokens)::BIGINT AS input_tokens,
    sum(told.cache_read_tokens)::BIGINT AS cache_read_tokens,
    sum(told.cache_write_tokens)::BIGINT AS cache_write_tokens,
    sum(told.output_tokens)::BIGINT AS output_tokens,
    sum(told.reasoning_tokens)::BIGINT AS reasoning_tokens,
    min(told.service_name) AS service_name,
    min(told.started_at) AS first_started_at
FROM told
GROUP BY told.session_id, told.teller
