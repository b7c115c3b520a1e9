-- One row per model call of which only other spans tell whether it counts, and what it is.
-- Of inference spans nested in one another the innermost counts, and the outer ones lend it their
-- operation, agent and role; what none of them says is told by the agents and tools around. A call that
-- was captured in several ways counts once: the first of wire, otlp, frame and log is believed, and of the
-- wire the process that made it before a meter that passed it on. Where that is the telemetry of a coding
-- agent, or was seen at the wire outside of any task, the agent's log still tells where the call was made,
-- and lends it its task, agent and role. A request that only fetches what earlier calls have used (a
-- background response, the results of a batch) lends it to those; where they were not recorded themselves,
-- each of them counts once, at the time when it was first told of.
--   operation_id            attempts of one operation share it
--   trace_id                trace of the call, 32 hex digits; or the log's
--   span_id                 span of the call, 16 hex digits; or the log's
--   task_id                 task of the call; the trace id where no task was recorded; or the log's
--   session_id              conversation of the call
--   agent                   name of the nearest enclosing agent
--   agent_depth             agents around the call: 0 none, 1 inside the root agent
--   role                    as of the first attempt: main, subagent, tool, summary, title, router, guard, ...
--   visible                 marked by the user: a person reads the output or not; NULL where nobody said
--   attempt                 1 for the first attempt of the operation; NULL where nothing says
--   operation               chat, text_completion, generate_content, embeddings, rerank, ...; fetch_response
--   provider                who answered, as gen_ai.provider.name
--   upstream_provider       who served the call, where the provider is a router and says so
--   request_model           model that was asked for
--   response_model          model that answered
--   response_id             the provider's id of the response
--   request_id              the provider's id of the request; NULL where nothing says
--   start_ns                start, nanoseconds since 1970-01-01 UTC
--   started_at              start, UTC
--   duration_ns             nanoseconds from the request to the end of the response
--   time_to_first_token_ns  nanoseconds from the request to the first chunk of a stream
--   status                  ok, error or unset
--   error_type              class or code of the error
--   http_status             HTTP status of the response
--   outcome                 complete, incomplete, abandoned or interrupted: how the response ended
--   usage                   who says the tokens: reported, partial, estimated or missing; or NULL
--   capture                 what saw the call: wire, frame, otlp or log
--   region                  cloud region, where the host tells
--   service_name            service.name of the process
--   input_tokens            tokens sent, cache reads and writes included; NULL where not reported
--   cache_read_tokens       part of input_tokens read from a prompt cache; NULL where not reported
--   cache_write_tokens      part of input_tokens written to a prompt cache; NULL where not reported
--   cache_write_1h_tokens   part of cache_write_tokens kept for an hour; NULL where not reported
--   input_audio_tokens      part of input_tokens that is audio; NULL where not reported
--   input_image_tokens      part of input_tokens that is images; NULL where not reported
--   output_tokens           tokens generated, reasoning included; NULL where not reported
--   reasoning_tokens        part of output_tokens that is reasoning; NULL where not reported
--   output_audio_tokens     part of output_tokens that is audio; NULL where not reported
--   output_image_tokens     part of output_tokens that is images; NULL where not reported
--   cost_usd                US dollars that the provider says it charged; NULL where it does not say
WITH RECURSIVE
special AS MATERIALIZED (
    SELECT
        span.* REPLACE (coalesce(span.task_id, span.trace_id) AS task_id),
        span.task_id IS NULL AS is_outside
    FROM span
    WHERE span.kind = 'inference' AND span.counted IS NULL
    -- It may arrive twice, from a log with more output each time, as it goes on. Ids alone do not tell: a
    -- program that seeds its random numbers repeats them; those that we make name the call, and a log and
    -- telemetry may make the same for different tasks. Or it comes from the process that made it, which knows
    -- the task, and over OTLP.
    QUALIFY row_number() OVER (
        PARTITION BY
            CASE WHEN span.scope = 'agenttrace.sources' THEN coalesce(span.task_id, span.trace_id) END,
            span.trace_id,
            span.span_id,
            CASE WHEN span.scope <> 'agenttrace.sources' THEN span.start_ns END
        ORDER BY
            span.capture = 'wire' DESC NULLS LAST,
            span.task_id IS NOT NULL DESC,
            span.output_tokens DESC NULLS LAST,
            span.outcome = 'complete' DESC NULLS LAST,
            span.response_id DESC NULLS LAST,
            span.duration_ns DESC NULLS LAST
    ) = 1
),

-- What was seen at the wire is a call, and knows its place, as does what we read from a log; only of what is
-- left does the structure tell. What arrived twice is one span.
link AS MATERIALIZED (
    SELECT DISTINCT
        coalesce(span.task_id, span.trace_id) AS task_id,
        span.span_id,
        span.parent_span_id,
        span.kind,
        span.kind = 'inference' AND coalesce(span.operation, '') <> 'fetch_response' AS is_inference,
        span.kind NOT IN ('inference', 'other', 'step') AS is_around,
        span.counted IS NULL AND coalesce(span.capture, '') <> 'wire' AND span.agent_depth IS NULL AS is_lost,
        span.operation_id,
        CASE WHEN span.kind = 'agent' THEN coalesce(span.agent, span.name) ELSE span.agent END AS agent,
        span.agent_depth,
        span.role,
        span.visible
    FROM span
    WHERE
        span.kind IN ('inference', 'other', 'step', 'agent', 'tool', 'task')
        AND coalesce(span.task_id, span.trace_id) IN (
            SELECT special.task_id
            FROM special
            WHERE
                special.capture IS DISTINCT FROM 'wire'
                AND (special.scope <> 'agenttrace.sources' OR special.agent_depth IS NULL)
        )
),

-- Upwards from each inference span, through other inference spans, steps of a framework, and spans that say
-- nothing about structure, such as an HTTP client's; and further, where the agents around it are not known.
-- Parents that point at one another end at the 1,000th.
enclosing AS (
    SELECT
        inner_span.task_id,
        inner_span.span_id,
        inner_span.is_lost,
        1 AS distance,
        outer_span.span_id AS outer_span_id,
        outer_span.parent_span_id,
        outer_span.kind,
        outer_span.is_inference AND NOT outer_span.is_around AS is_inference,
        outer_span.is_around,
        outer_span.operation_id,
        outer_span.agent,
        outer_span.agent_depth,
        outer_span.role,
        outer_span.visible
    FROM link AS inner_span
    INNER JOIN link AS outer_span
        ON inner_span.task_id = outer_span.task_id AND inner_span.parent_span_id = outer_span.span_id
    WHERE
        inner_span.is_inference
        AND inner_span.span_id <> outer_span.span_id
        AND (inner_span.is_lost OR NOT outer_span.is_around)
    UNION ALL
    SELECT
        enclosing.task_id,
        enclosing.span_id,
        enclosing.is_lost,
        enclosing.distance + 1 AS distance,
        outer_span.span_id AS outer_span_id,
        outer_span.parent_span_id,
        outer_span.kind,
        outer_span.is_inference AND NOT enclosing.is_around AS is_inference,
        enclosing.is_around OR outer_span.is_around AS is_around,
        outer_span.operation_id,
        outer_span.agent,
        outer_span.agent_depth,
        outer_span.role,
        outer_span.visible
    FROM enclosing
    INNER JOIN link AS outer_span
        ON enclosing.task_id = outer_span.task_id AND enclosing.parent_span_id = outer_span.span_id
    WHERE enclosing.distance < 1000 AND (enclosing.is_lost OR NOT outer_span.is_around)
),

-- One row per inference span that does not know how many agents are around it, and has one, or a tool.
place AS (
    SELECT
        around.task_id,
        around.span_id,
        count(DISTINCT around.outer_span_id) FILTER (WHERE around.kind = 'agent') AS agent_depth,
        arg_min(around.agent, around.distance) FILTER (WHERE around.kind = 'agent') AS agent,
        CASE
            WHEN arg_min(around.kind, around.distance) = 'tool' THEN 'tool'
            WHEN count(DISTINCT around.outer_span_id) FILTER (WHERE around.kind = 'agent') > 1 THEN 'subagent'
        END AS role
    FROM enclosing AS around
    WHERE around.is_lost AND around.kind IN ('agent', 'tool')
    GROUP BY around.task_id, around.span_id
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

innermost AS (
    SELECT
        special.* REPLACE (
            nullif(special.response_id, '') AS response_id,
            nullif(special.request_id, '') AS request_id,
            coalesce(special.capture, 'frame') AS capture,
            coalesce(
                special.operation_id, nesting.operation_id, nesting.outermost_span_id, special.span_id
            ) AS operation_id,
            coalesce(special.agent, nesting.agent, place.agent) AS agent,
            coalesce(special.agent_depth, nesting.agent_depth, place.agent_depth, 0) AS agent_depth,
            coalesce(special.visible, nesting.visible) AS visible,
            -- Nobody reads an embedding, wherever it was asked for.
            coalesce(
                nullif(coalesce(special.role, nesting.role, place.role), 'main'),
                CASE special.operation
                    WHEN 'embeddings' THEN 'embedding'
                    WHEN 'rerank' THEN 'rerank'
                    WHEN 'moderation' THEN 'guard'
                    ELSE 'main'
                END
            ) AS role
        ),
        {
            'rank': CASE special.capture WHEN 'wire' THEN 1 WHEN 'otlp' THEN 2 WHEN 'log' THEN 4 ELSE 3 END,
            'scope': special.scope
        } AS source,
        regexp_extract(coalesce(special.response_model, special.request_model), '[^/]*$') AS model
    FROM special
    LEFT JOIN nesting
        ON
            special.task_id = nesting.task_id
            AND special.span_id = nesting.span_id
            AND special.capture IS DISTINCT FROM 'wire'
    LEFT JOIN place
        ON
            special.task_id = place.task_id
            AND special.span_id = place.span_id
            AND special.capture IS DISTINCT FROM 'wire'
    WHERE nesting.covers IS NOT TRUE AND coalesce(special.operation, '') <> 'fetch_response'
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

-- What a meter passed on while a program of that machine, which was recorded, waited for an answer of that
-- model. A request that fails has no id, and nor has what some servers answer.
passed_on AS (
    SELECT DISTINCT
        theirs.task_id,
        theirs.span_id
    FROM (
        SELECT
            innermost.*,
            unnest(
                [innermost.start_ns // 60000000000 - 1, innermost.start_ns // 60000000000]
            ) AS minute_number
        FROM innermost
        WHERE innermost.scope = 'agenttrace.meter'
    ) AS theirs
    INNER JOIN span AS ours
        ON theirs.host = ours.host AND theirs.minute_number = ours.start_ns // 60000000000
    WHERE
        ours.scope = 'agenttrace'
        AND ours.kind = 'inference'
        AND theirs.start_ns BETWEEN ours.start_ns AND ours.start_ns + coalesce(ours.duration_ns, 0)
        AND coalesce(theirs.request_model = ours.request_model, TRUE)
        AND coalesce(theirs.response_model = ours.response_model, TRUE)
        AND coalesce(theirs.response_id = ours.response_id, TRUE)
        AND coalesce(theirs.http_status = ours.http_status, TRUE)
        AND coalesce(theirs.input_tokens = ours.input_tokens, TRUE)
        AND coalesce(theirs.output_tokens = ours.output_tokens, TRUE)
),

-- Who tells of a call, be it one that counts anyway.
teller AS MATERIALIZED (
    SELECT
        innermost.response_id,
        innermost.request_id,
        innermost.session_id,
        innermost.model,
        innermost.input_tokens,
        innermost.output_tokens,
        innermost.source,
        innermost.start_ns
    FROM innermost
    UNION ALL
    SELECT
        plain_call.response_id,
        plain_call.request_id,
        plain_call.session_id,
        regexp_extract(coalesce(plain_call.response_model, plain_call.request_model), '[^/]*$') AS model,
        plain_call.input_tokens,
        plain_call.output_tokens,
        { 'rank': 1, 'scope': 'agenttrace' } AS source,
        plain_call.start_ns
    FROM plain_call
    WHERE
        plain_call.response_id IN (SELECT special.response_id FROM special)
        OR plain_call.request_id IN (SELECT special.request_id FROM special)
        OR plain_call.session_id IN (
            SELECT special.session_id
            FROM special
            WHERE special.capture = 'log'
        )
),

-- Of a call that several sources tell of within a quarter of an hour, the best source is believed. They mean
-- the same one if they say the same id of its response or of its request; a log that shares neither means the
-- one of the same conversation and model with the same tokens. One source may repeat an id without telling of
-- the same response: some servers count theirs up to 999.
distinct_call AS (
    SELECT innermost.*
    FROM innermost
    WHERE innermost.source.rank = 1 AND innermost.source.scope = 'agenttrace'
    UNION ALL
    SELECT innermost.*
    FROM innermost
    ANTI JOIN teller AS better
        ON
            innermost.response_id = better.response_id
            AND innermost.source > better.source
            AND abs(innermost.start_ns - better.start_ns) < 900000000000
    ANTI JOIN teller AS asked
        ON
            innermost.request_id = asked.request_id
            AND innermost.source > asked.source
            AND abs(innermost.start_ns - asked.start_ns) < 900000000000
    ANTI JOIN teller AS twin
        ON
            innermost.session_id = twin.session_id
            AND innermost.model = twin.model
            AND innermost.input_tokens = twin.input_tokens
            AND innermost.output_tokens = twin.output_tokens
            AND innermost.source.rank = 4
            AND twin.source.rank < 4
            AND abs(innermost.start_ns - twin.start_ns) < 900000000000
            AND coalesce(innermost.response_id = twin.response_id, TRUE)
            AND coalesce(innermost.request_id = twin.request_id, TRUE)
    ANTI JOIN beside ON innermost.task_id = beside.task_id AND innermost.span_id = beside.span_id
    ANTI JOIN passed_on ON innermost.task_id = passed_on.task_id AND innermost.span_id = passed_on.span_id
    WHERE
        (innermost.source.rank > 1 OR innermost.source.scope <> 'agenttrace')
        AND innermost.outcome IS DISTINCT FROM 'cached'
        -- Some instrumentations make such a span of every method of an SDK, such as listing the models.
        AND (
            innermost.scope IN ('agenttrace', 'agenttrace.meter', 'agenttrace.sources')
            OR coalesce(innermost.input_tokens, innermost.output_tokens) IS NOT NULL
            OR innermost.response_id IS NOT NULL
            OR innermost.status = 'error'
        )
),

-- What may be moved to where a log tells that it was made: a coding agent's own telemetry, which may know no
-- turn, and what was seen at the wire outside of any task. A task that somebody's program recorded stays; one
-- that a dialect made up for a span has the name of the agent.
movable AS MATERIALIZED (
    SELECT
        distinct_call.task_id,
        distinct_call.span_id,
        distinct_call.start_ns,
        distinct_call.response_id,
        distinct_call.request_id,
        distinct_call.session_id,
        distinct_call.model,
        distinct_call.input_tokens,
        distinct_call.output_tokens,
        CASE
            WHEN distinct_call.source.rank = 2 AND distinct_call.scope <> 'agenttrace.sources'
                THEN coalesce(distinct_call.service_name, '')
        END AS only_of
    FROM distinct_call
    WHERE
        (distinct_call.source.rank IN (1, 2) AND distinct_call.is_outside)
        OR (
            distinct_call.source.rank = 2
            AND (
                distinct_call.scope = 'agenttrace.sources'
                OR distinct_call.task_name = distinct_call.service_name
            )
        )
),

logged AS (
    SELECT
        innermost.start_ns,
        innermost.response_id,
        innermost.request_id,
        innermost.session_id,
        innermost.model,
        innermost.input_tokens,
        innermost.output_tokens,
        innermost.service_name,
        {
            'task_id': innermost.task_id,
            'trace_id': innermost.trace_id,
            'span_id': innermost.span_id,
            'agent': innermost.agent,
            'agent_depth': innermost.agent_depth,
            'role': innermost.role
        } AS place
    FROM innermost
    WHERE innermost.source.rank = 4 AND innermost.scope = 'agenttrace.sources'
),

-- They mean the same call by the same signs as above.
pair AS (
    SELECT
        movable.task_id,
        movable.span_id,
        movable.start_ns,
        logged.place,
        1 AS sign,
        abs(movable.start_ns - logged.start_ns) AS apart_ns
    FROM movable
    INNER JOIN logged
        ON
            movable.response_id = logged.response_id
            AND abs(movable.start_ns - logged.start_ns) < 900000000000
            AND coalesce(movable.only_of = logged.service_name, movable.only_of IS NULL)
    UNION ALL
    SELECT
        movable.task_id,
        movable.span_id,
        movable.start_ns,
        logged.place,
        2 AS sign,
        abs(movable.start_ns - logged.start_ns) AS apart_ns
    FROM movable
    INNER JOIN logged
        ON
            movable.request_id = logged.request_id
            AND abs(movable.start_ns - logged.start_ns) < 900000000000
            AND coalesce(movable.only_of = logged.service_name, movable.only_of IS NULL)
    UNION ALL
    SELECT
        movable.task_id,
        movable.span_id,
        movable.start_ns,
        logged.place,
        3 AS sign,
        abs(movable.start_ns - logged.start_ns) AS apart_ns
    FROM movable
    INNER JOIN logged
        ON
            movable.session_id = logged.session_id
            AND movable.model = logged.model
            AND movable.input_tokens = logged.input_tokens
            AND movable.output_tokens = logged.output_tokens
            AND coalesce(movable.response_id = logged.response_id, TRUE)
            AND coalesce(movable.request_id = logged.request_id, TRUE)
            AND abs(movable.start_ns - logged.start_ns) < 900000000000
            AND coalesce(movable.only_of = logged.service_name, movable.only_of IS NULL)
),

-- Where several calls in the log may be it, the one of the same id lends, then the nearest in time.
lent AS (
    SELECT
        best.*,
        row_number() OVER (
            PARTITION BY best.place.task_id, best.place.span_id
            ORDER BY best.sign, best.apart_ns, best.task_id, best.span_id, best.start_ns
        ) AS number_there
    FROM (
        SELECT pair.*
        FROM pair
        QUALIFY row_number() OVER (
            PARTITION BY pair.task_id, pair.span_id, pair.start_ns
            ORDER BY pair.sign, pair.apart_ns, pair.place.task_id, pair.place.span_id
        ) = 1
    ) AS best
),

-- Telemetry takes the span of the log, around which the turn and its agents are; what was measured
-- at the wire is known by its own.
placed AS (
    SELECT
        distinct_call.* REPLACE (
            coalesce(lent.place.task_id, distinct_call.task_id) AS task_id,
            CASE
                WHEN distinct_call.source.rank = 2 AND lent.number_there = 1 THEN lent.place.trace_id
                ELSE distinct_call.trace_id
            END AS trace_id,
            CASE
                WHEN distinct_call.source.rank = 2 AND lent.number_there = 1 THEN lent.place.span_id
                ELSE distinct_call.span_id
            END AS span_id,
            CASE WHEN lent.place IS NULL THEN distinct_call.agent ELSE lent.place.agent END AS agent,
            coalesce(lent.place.agent_depth, distinct_call.agent_depth) AS agent_depth,
            coalesce(nullif(distinct_call.role, 'main'), lent.place.role, 'main') AS role
        )
    FROM distinct_call
    LEFT JOIN lent
        ON
            distinct_call.task_id = lent.task_id
            AND distinct_call.span_id = lent.span_id
            AND distinct_call.start_ns = lent.start_ns
),

-- A result may be fetched any number of times; the first time that it has its usage is believed.
fetched AS (
    SELECT
        special.* REPLACE (
            coalesce(special.operation_id, special.span_id) AS operation_id,
            coalesce(special.agent_depth, 0) AS agent_depth,
            coalesce(special.role, 'main') AS role
        )
    FROM special
    WHERE special.operation = 'fetch_response' AND special.response_id <> ''
    QUALIFY row_number() OVER (
        PARTITION BY special.provider, special.response_id
        ORDER BY special.usage = 'reported' DESC NULLS LAST, special.start_ns
    ) = 1
),

judged AS (
    SELECT
        placed.* REPLACE (
            coalesce(fetched.response_model, placed.response_model) AS response_model,
            coalesce(fetched.outcome, placed.outcome) AS outcome,
            coalesce(fetched.usage, placed.usage) AS usage,
            coalesce(fetched.input_tokens, placed.input_tokens) AS input_tokens,
            coalesce(fetched.cache_read_tokens, placed.cache_read_tokens) AS cache_read_tokens,
            coalesce(fetched.cache_write_tokens, placed.cache_write_tokens) AS cache_write_tokens,
            coalesce(
                fetched.cache_write_1h_tokens, placed.cache_write_1h_tokens
            ) AS cache_write_1h_tokens,
            coalesce(fetched.output_tokens, placed.output_tokens) AS output_tokens,
            coalesce(fetched.reasoning_tokens, placed.reasoning_tokens) AS reasoning_tokens,
            coalesce(fetched.input_audio_tokens, placed.input_audio_tokens) AS input_audio_tokens,
            coalesce(fetched.input_image_tokens, placed.input_image_tokens) AS input_image_tokens,
            coalesce(fetched.output_audio_tokens, placed.output_audio_tokens) AS output_audio_tokens,
            coalesce(fetched.output_image_tokens, placed.output_image_tokens) AS output_image_tokens,
            coalesce(placed.cost_usd, billed.cost_usd) AS cost_usd,
            coalesce(placed.upstream_provider, billed.upstream_provider) AS upstream_provider
        )
    FROM placed
    LEFT JOIN fetched AS billed ON placed.response_id = billed.response_id
    LEFT JOIN fetched
        ON
            placed.response_id = fetched.response_id
            AND placed.usage IS DISTINCT FROM 'reported'
    UNION ALL BY NAME
    SELECT fetched.*
    FROM fetched
    ANTI JOIN placed ON fetched.response_id = placed.response_id
    ANTI JOIN plain_call ON fetched.response_id = plain_call.response_id
)

SELECT
    judged.operation_id,
    judged.trace_id,
    judged.span_id,
    judged.task_id,
    judged.session_id,
    judged.agent,
    judged.agent_depth,
    judged.role,
    judged.visible,
    judged.attempt,
    judged.operation,
    judged.provider,
    judged.upstream_provider,
    judged.request_model,
    judged.response_model,
    judged.response_id,
    judged.request_id,
    judged.start_ns,
    judged.started_at,
    judged.duration_ns,
    judged.time_to_first_token_ns,
    judged.status,
    judged.error_type,
    judged.http_status,
    judged.outcome,
    judged.usage,
    judged.capture,
    judged.region,
    judged.service_name,
    judged.input_tokens,
    judged.cache_read_tokens,
    judged.cache_write_tokens,
    judged.cache_write_1h_tokens,
    judged.input_audio_tokens,
    judged.input_image_tokens,
    judged.output_tokens,
    judged.reasoning_tokens,
    judged.output_audio_tokens,
    judged.output_image_tokens,
    judged.cost_usd
FROM judged
