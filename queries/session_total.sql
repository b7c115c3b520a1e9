-- One row per session and who says what it used in all: totals, which are no calls and are never counted.
-- A total that grows is said again and again under one id, and the latest counts; what was used since the
-- last time is said under an id of its own, and adds up. Totals by model are added; one of all models
-- together counts where there are none.
--   session_id          conversation
--   capture             who says it: result (what the agent printed), otlp (metrics) or log
--   input_tokens        tokens sent, cache reads and writes included; NULL where it says none
--   cache_read_tokens   part of input_tokens read from a prompt cache; NULL where it says none
--   cache_write_tokens  part of input_tokens written to a prompt cache; NULL where it says none
--   output_tokens       tokens generated, reasoning included; NULL where it says none
--   reasoning_tokens    part of output_tokens that is reasoning; NULL where it says none
--   cost_usd            US dollars that it says it cost; NULL where it says none
--   service_name        of who says it, by its name
--   last_said_at        when the last of it was said, UTC
WITH
said AS (
    SELECT
        span.*,
        coalesce(span.capture, 'log') AS teller
    FROM span
    WHERE
        span.kind = 'fact'
        AND span.session_id IS NOT NULL
        AND coalesce(span.input_tokens, span.output_tokens) IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY span.session_id, teller, span.span_id
        ORDER BY span.start_ns DESC, span.output_tokens DESC NULLS LAST, span.input_tokens DESC NULLS LAST
    ) = 1
),

counting AS (
    SELECT said.*
    FROM said
    QUALIFY
        said.response_model IS NOT NULL
        OR bool_and(said.response_model IS NULL) OVER (PARTITION BY said.session_id, said.teller)
)

SELECT
    counting.session_id,
    counting.teller AS capture,
    sum(counting.input_tokens)::BIGINT AS input_tokens,
    sum(counting.cache_read_tokens)::BIGINT AS cache_read_tokens,
    sum(counting.cache_write_tokens)::BIGINT AS cache_write_tokens,
    sum(counting.output_tokens)::BIGINT AS output_tokens,
    sum(counting.reasoning_tokens)::BIGINT AS reasoning_tokens,
    sum(counting.cost_usd) AS cost_usd,
    min(counting.service_name) AS service_name,
    max(counting.started_at) AS last_said_at
FROM counting
GROUP BY counting.session_id, counting.teller
