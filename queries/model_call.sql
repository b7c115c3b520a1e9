-- One row per model call: one request that a provider, or a local model, worked on.
-- The one place that decides what counts. Structure (tasks, agents, tools, steps) never counts, whatever
-- usage it carries. Of inference spans nested in one another the innermost counts, and the outer ones lend it
-- their operation, agent and role. A span that arrives twice counts once, and so does a response that was
-- captured in several ways: the first of wire, otlp, frame and log is believed. A request that only fetches
-- what earlier calls have used (a background response, the results of a batch) lends it to those; where they
-- were not recorded themselves, each of them counts once, at the time when it was first told of.
--   call_id                id of the call: its task and its span
--   operation_id           attempts of one operation share it
--   trace_id               trace of the call, 32 hex digits
--   span_id                span of the call, 16 hex digits
--   task_id                task of the call; the trace id where no task was recorded
--   task_name              name of the task; NULL for a call outside of any task
--   session_id             conversation of the call
--   workload               agentic or user-facing
--   agent                  name of the nearest enclosing agent
--   role                   main, subagent, tool, retry, summary, title, router, guard, embedding, ...
--   hidden                 nobody reads the output as the answer of the task
--   attempt                1 for the first attempt of the operation
--   operation              chat, text_completion, generate_content, embeddings, rerank, ...; fetch_response
--                          for a call that was recorded only when its result was fetched
--   provider               who answered, as gen_ai.provider.name
--   upstream_provider      who served the call, where the provider is a router and says so
--   model                  model that answered, else the one that was asked for
--   response_id            the provider's id of the response
--   started_at             start, UTC
--   duration_ms            milliseconds from the request to the end of the response
--   time_to_first_token_ms milliseconds from the request to the first chunk of a stream
--   status                 ok, error or unset
--   error_type             class or code of the error
--   http_status            HTTP status of the response
--   outcome                complete, incomplete or abandoned: how the response ended
--   usage                  who says the tokens: reported, partial, estimated or missing
--   capture                what saw the call: wire, frame, otlp or log
--   region                 cloud region, where the host tells
--   service_name           service.name of the process
--   total_tokens           input and output together; of a side that is not reported, the other
--   input_tokens           tokens sent, cache reads and writes included; NULL where not reported
--   input_uncached_tokens  part of input_tokens neither read from a prompt cache nor written to one
--   cache_read_tokens      part of input_tokens read from a prompt cache; NULL where not reported
--   cache_write_tokens     part of input_tokens written to a prompt cache; NULL where not reported
--   cache_write_1h_tokens  part of cache_write_tokens kept for an hour; NULL where not reported
--   input_audio_tokens     part of input_tokens that is audio; NULL where not reported
--   input_image_tokens     part of input_tokens that is images; NULL where not reported
--   output_tokens          tokens generated, reasoning included; NULL where not reported
--   reasoning_tokens       part of output_tokens that is reasoning; NULL where not reported
--   output_audio_tokens    part of output_tokens that is audio; NULL where not reported
--   output_image_tokens    part of output_tokens that is images; NULL where not reported
--   cost_usd               US dollars that the provider says it charged; NULL where it does not say
WITH RECURSIVE
link AS MATERIALIZED (
    SELECT
        coalesce(span.task_id, span.trace_id) AS task_id,
        span.span_id,
        span.parent_span_id,
        span.start_ns,
        span.kind = 'inference' AND coalesce(span.operation, '') <> 'fetch_response' AS is_inference,
        span.operation_id,
        span.agent,
        span.agent_depth,
        span.role,
        span.visible
    FROM span
    WHERE span.kind IN ('inference', 'other', 'step')
),

-- Upwards from each inference span, through other inference spans, steps of a framework, and spans that say
-- nothing about structure, such as an HTTP client's. Parents that point at one another end at the 32nd.
enclosing AS (
    SELECT
        inner_span.task_id,
        inner_span.span_id,
        1 AS distance,
        outer_span.span_id AS outer_span_id,
        outer_span.parent_span_id,
        outer_span.is_inference,
        outer_span.operation_id,
        outer_span.agent,
        outer_span.agent_depth,
        outer_span.role,
        outer_span.visible
    FROM link AS inner_span
    INNER JOIN link AS outer_span
        ON inner_span.task_id = outer_span.task_id AND inner_span.parent_span_id = outer_span.span_id
    WHERE inner_span.is_inference AND inner_span.span_id <> outer_span.span_id
    UNION ALL
    SELECT
        enclosing.task_id,
        enclosing.span_id,
        enclosing.distance + 1 AS distance,
        outer_span.span_id AS outer_span_id,
        outer_span.parent_span_id,
        outer_span.is_inference,
        outer_span.operation_id,
        outer_span.agent,
        outer_span.agent_depth,
        outer_span.role,
        outer_span.visible
    FROM enclosing
    INNER JOIN link AS outer_span
        ON enclosing.task_id = outer_span.task_id AND enclosing.parent_span_id = outer_span.span_id
    WHERE enclosing.distance < 32
),

-- One row per inference span that has another around it (what that one lends) or inside it (covers).
nesting AS (
    SELECT
        nested.task_id,
        nested.span_id,
        bool_or(nested.covers) AS covers,
        arg_min(nested.operation_id, nested.distance) AS operation_id,
        arg_max(nested.outer_span_id, nested.distance) AS outermost_span_id,
        arg_min(nested.agent, nested.distance) AS agent,
        arg_min(nested.agent_depth, nested.distance) AS agent_depth,
        arg_min(nested.role, nested.distance) AS role,
        arg_min(nested.visible, nested.distance) AS visible
    FROM (
        SELECT
            enclosing.*,
            FALSE AS covers
        FROM enclosing
        WHERE enclosing.is_inference
        UNION ALL BY NAME
        SELECT
            enclosing.task_id,
            enclosing.outer_span_id AS span_id,
            TRUE AS covers
        FROM enclosing
        WHERE enclosing.is_inference
    ) AS nested
    GROUP BY nested.task_id, nested.span_id
),

-- A span may arrive twice, through a span processor and through a receiver. Ids alone do not tell: a program
-- that seeds its random numbers has the same ones in every run.
repeated AS (
    SELECT
        link.task_id,
        link.span_id,
        link.start_ns
    FROM link
    WHERE link.is_inference
    GROUP BY link.task_id, link.span_id, link.start_ns
    HAVING count(*) > 1
),

inference AS (
    SELECT span.* REPLACE (coalesce(span.task_id, span.trace_id) AS task_id)
    FROM span
    ANTI JOIN repeated
        ON
            coalesce(span.task_id, span.trace_id) = repeated.task_id
            AND span.span_id = repeated.span_id
            AND span.start_ns = repeated.start_ns
    WHERE span.kind = 'inference' AND coalesce(span.operation, '') <> 'fetch_response'
    UNION ALL
    SELECT span.* REPLACE (repeated.task_id AS task_id)
    FROM span
    INNER JOIN repeated
        ON
            coalesce(span.task_id, span.trace_id) = repeated.task_id
            AND span.span_id = repeated.span_id
            AND span.start_ns = repeated.start_ns
    WHERE span.kind = 'inference' AND coalesce(span.operation, '') <> 'fetch_response'
    QUALIFY row_number() OVER (
        PARTITION BY repeated.task_id, span.span_id, span.start_ns
        ORDER BY span.capture = 'wire' DESC NULLS LAST, span.duration_ns DESC NULLS LAST
    ) = 1
),

innermost AS (
    SELECT
        inference.* REPLACE (
            nullif(inference.response_id, '') AS response_id,
            coalesce(inference.capture, 'frame') AS capture,
            coalesce(
                inference.operation_id, nesting.operation_id, nesting.outermost_span_id, inference.span_id
            ) AS operation_id,
            coalesce(inference.agent, nesting.agent) AS agent,
            coalesce(inference.agent_depth, nesting.agent_depth, 0) AS agent_depth,
            coalesce(inference.visible, nesting.visible) AS visible,
            -- Nobody reads an embedding, wherever it was asked for.
            coalesce(
                nullif(coalesce(inference.role, nesting.role), 'main'),
                CASE inference.operation
                    WHEN 'embeddings' THEN 'embedding'
                    WHEN 'rerank' THEN 'rerank'
                    WHEN 'moderation' THEN 'guard'
                    ELSE 'main'
                END
            ) AS role
        ),
        {
            'rank': CASE inference.capture WHEN 'wire' THEN 1 WHEN 'otlp' THEN 2 WHEN 'log' THEN 4 ELSE 3 END,
            'scope': inference.scope
        } AS source
    FROM inference
    LEFT JOIN nesting ON inference.task_id = nesting.task_id AND inference.span_id = nesting.span_id
    WHERE nesting.covers IS NOT TRUE
),

-- A callback of another instrumentation may make its span beside the call and not around it. Where agenttrace
-- saw a call of that model in the same process at that time, or an answer from a cache, it is the same.
beside AS (
    SELECT DISTINCT
        theirs.task_id,
        theirs.span_id
    FROM (
        SELECT
            innermost.*,
            innermost.start_ns + coalesce(innermost.duration_ns, 0) AS end_ns,
            regexp_extract(coalesce(innermost.response_model, innermost.request_model), '[^/]*$') AS model,
            -- Minutes, so that the two are joined by more than their process.
            unnest(
                range(
                    innermost.start_ns // 60000000000 - 1,
                    (innermost.start_ns + least(innermost.duration_ns, 86400000000000)) // 60000000000 + 1
                )
            ) AS minute_number
        FROM innermost
        WHERE innermost.scope <> 'agenttrace' AND innermost.source.rank = 3
    ) AS theirs
    INNER JOIN span AS ours
        ON
            theirs.pid = ours.pid
            AND theirs.host = ours.host
            AND theirs.minute_number = ours.start_ns // 60000000000
    WHERE
        ours.scope = 'agenttrace'
        AND ours.kind = 'inference'
        AND coalesce(ours.operation, '') <> 'fetch_response'
        AND theirs.start_ns <= ours.start_ns + coalesce(ours.duration_ns, 0)
        AND ours.start_ns <= theirs.end_ns
        AND (theirs.task_id IN (ours.task_id, theirs.trace_id) OR ours.task_id IS NULL)
        AND coalesce(theirs.response_id = ours.response_id, TRUE)
        AND (ours.usage = 'estimated' OR coalesce(theirs.output_tokens = ours.output_tokens, TRUE))
        AND CASE
            WHEN theirs.model IS NULL THEN theirs.output_tokens = ours.output_tokens
            ELSE theirs.model IN (
                regexp_extract(coalesce(ours.response_model, ours.request_model), '[^/]*$'),
                regexp_extract(coalesce(ours.request_model, ours.response_model), '[^/]*$')
            )
        END
),

-- Of a response that several sources tell of within a quarter of an hour, the best source is believed. One
-- source may repeat an id without telling of the same response: some servers count theirs up to 999.
distinct_call AS (
    SELECT innermost.*
    FROM innermost
    WHERE innermost.source.rank = 1
    UNION ALL
    SELECT innermost.*
    FROM innermost
    ANTI JOIN innermost AS better
        ON
            innermost.response_id = better.response_id
            AND innermost.source > better.source
            AND abs(innermost.start_ns - better.start_ns) < 900000000000
    ANTI JOIN beside ON innermost.task_id = beside.task_id AND innermost.span_id = beside.span_id
    WHERE
        innermost.source.rank > 1
        AND innermost.outcome IS DISTINCT FROM 'cached'
        -- Some instrumentations make such a span of every method of an SDK, such as listing the models.
        AND (
            innermost.scope = 'agenttrace'
            OR coalesce(innermost.input_tokens, innermost.output_tokens) IS NOT NULL
            OR innermost.response_id IS NOT NULL
            OR innermost.status = 'error'
        )
),

-- A result may be fetched any number of times; the first time that it has its usage is believed.
fetched AS (
    SELECT
        span.* REPLACE (
            coalesce(span.task_id, span.trace_id) AS task_id,
            coalesce(span.operation_id, span.span_id) AS operation_id,
            coalesce(span.agent_depth, 0) AS agent_depth,
            coalesce(span.role, 'main') AS role
        )
    FROM span
    WHERE span.kind = 'inference' AND span.operation = 'fetch_response' AND span.response_id <> ''
    QUALIFY row_number() OVER (
        PARTITION BY span.provider, span.response_id
        ORDER BY span.usage = 'reported' DESC NULLS LAST, span.start_ns
    ) = 1
),

counted AS (
    SELECT
        distinct_call.* REPLACE (
            coalesce(fetched.response_model, distinct_call.response_model) AS response_model,
            coalesce(fetched.outcome, distinct_call.outcome) AS outcome,
            coalesce(fetched.usage, distinct_call.usage) AS usage,
            coalesce(fetched.input_tokens, distinct_call.input_tokens) AS input_tokens,
            coalesce(fetched.cache_read_tokens, distinct_call.cache_read_tokens) AS cache_read_tokens,
            coalesce(fetched.cache_write_tokens, distinct_call.cache_write_tokens) AS cache_write_tokens,
            coalesce(
                fetched.cache_write_1h_tokens, distinct_call.cache_write_1h_tokens
            ) AS cache_write_1h_tokens,
            coalesce(fetched.output_tokens, distinct_call.output_tokens) AS output_tokens,
            coalesce(fetched.reasoning_tokens, distinct_call.reasoning_tokens) AS reasoning_tokens,
            coalesce(fetched.input_audio_tokens, distinct_call.input_audio_tokens) AS input_audio_tokens,
            coalesce(fetched.input_image_tokens, distinct_call.input_image_tokens) AS input_image_tokens,
            coalesce(fetched.output_audio_tokens, distinct_call.output_audio_tokens) AS output_audio_tokens,
            coalesce(fetched.output_image_tokens, distinct_call.output_image_tokens) AS output_image_tokens,
            coalesce(distinct_call.cost_usd, billed.cost_usd) AS cost_usd,
            coalesce(distinct_call.upstream_provider, billed.upstream_provider) AS upstream_provider
        )
    FROM distinct_call
    LEFT JOIN fetched AS billed ON distinct_call.response_id = billed.response_id
    LEFT JOIN fetched
        ON
            distinct_call.response_id = fetched.response_id
            AND distinct_call.usage IS DISTINCT FROM 'reported'
    UNION ALL BY NAME
    SELECT fetched.*
    FROM fetched
    ANTI JOIN distinct_call ON fetched.response_id = distinct_call.response_id
),

task_root AS (
    SELECT
        coalesce(span.task_id, span.trace_id) AS task_id,
        arg_min(span.task_name, span.start_ns) AS task_name,
        arg_min(span.workload, span.start_ns) AS workload,
        bool_or(span.headless) AS headless
    FROM span
    WHERE span.task_name IS NOT NULL OR span.workload IS NOT NULL OR span.headless IS NOT NULL
    GROUP BY coalesce(span.task_id, span.trace_id)
),

-- What a person reads: the calls that are marked, else the last good main call of the outermost agent. Where
-- that one calls no model itself, the last good call of the agent that it hands the work to.
answer AS (
    SELECT
        candidate.task_id,
        bool_or(candidate.visible) AS is_marked,
        CASE
            WHEN bool_or(candidate.role = 'main')
                THEN max(candidate.place) FILTER (WHERE candidate.role = 'main' AND candidate.is_good)
            ELSE max(candidate.place) FILTER (WHERE candidate.role = 'subagent' AND candidate.is_good)
        END AS last_call
    FROM (
        SELECT
            counted.task_id,
            counted.visible,
            -- A call that stands in for one that failed answers in its place.
            CASE
                WHEN counted.role NOT IN ('fallback', 'retry') THEN counted.role
                WHEN counted.agent_depth > 1 THEN 'subagent'
                ELSE 'main'
            END AS role,
            counted.status <> 'error' AND coalesce(counted.visible, TRUE) AS is_good,
            {
                -- Calls of the task itself stand beside those of its root agent.
                'depth': -greatest(counted.agent_depth, 1),
                'start_ns': counted.start_ns,
                'span_id': counted.span_id
            } AS place
        FROM counted
    ) AS candidate
    GROUP BY candidate.task_id
)

SELECT
    counted.task_id || '-' || counted.span_id AS call_id,
    counted.operation_id,
    counted.trace_id,
    counted.span_id,
    counted.task_id,
    task_root.task_name,
    counted.session_id,
    coalesce(task_root.workload, 'agentic') AS workload,
    counted.agent,
    CASE WHEN counted.attempt > 1 THEN 'retry' ELSE counted.role END AS role,
    CASE
        WHEN answer.is_marked THEN NOT coalesce(counted.visible, FALSE)
        WHEN task_root.headless THEN TRUE
        ELSE coalesce(counted.span_id <> answer.last_call.span_id, TRUE)
    END AS hidden,
    coalesce(counted.attempt, 1) AS attempt,
    counted.operation,
    counted.provider,
    counted.upstream_provider,
    coalesce(counted.response_model, counted.request_model) AS model,
    counted.response_id,
    counted.started_at,
    counted.duration_ns / 1e6 AS duration_ms,
    counted.time_to_first_token_ns / 1e6 AS time_to_first_token_ms,
    counted.status,
    counted.error_type,
    counted.http_status,
    counted.outcome,
    coalesce(
        counted.usage,
        CASE
            WHEN counted.input_tokens IS NULL AND counted.output_tokens IS NULL THEN 'missing'
            WHEN counted.input_tokens IS NULL THEN 'partial'
            WHEN counted.output_tokens IS NOT NULL THEN 'reported'
            WHEN counted.operation IN ('embeddings', 'rerank') THEN 'reported'
            ELSE 'partial'
        END
    ) AS usage,
    counted.capture,
    counted.region,
    counted.service_name,
    coalesce(
        counted.input_tokens + counted.output_tokens, counted.input_tokens, counted.output_tokens
    ) AS total_tokens,
    counted.input_tokens,
    counted.input_tokens
    - coalesce(counted.cache_read_tokens, 0)
    - coalesce(counted.cache_write_tokens, 0) AS input_uncached_tokens,
    counted.cache_read_tokens,
    counted.cache_write_tokens,
    counted.cache_write_1h_tokens,
    counted.input_audio_tokens,
    counted.input_image_tokens,
    counted.output_tokens,
    counted.reasoning_tokens,
    counted.output_audio_tokens,
    counted.output_image_tokens,
    counted.cost_usd
FROM counted
LEFT JOIN task_root ON counted.task_id = task_root.task_id
LEFT JOIN answer ON counted.task_id = answer.task_id
