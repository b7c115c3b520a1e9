-- One row per frame of a task (task, agent, tool or step): how many model calls and frames it started itself.
-- Spans that are neither (another instrumentation's HTTP client, the outer of two spans of one call) hand on
-- what is inside them to the frame around. What has lost its parent hangs from the root of the task, where
-- there is one. It looks at every span, so it takes long over very many.
--   task_id     id of the task; the trace id where no task was recorded
--   span_id     span of the frame, 16 hex digits
--   kind        task, agent, tool or step
--   name        name of the span
--   agent       name of the nearest enclosing agent; of an agent, itself
--   started_at  start, UTC
--   depth       frames around it: 0 at the top; NULL where they go round in a circle
--   calls       model calls directly inside it
--   agents      agents directly inside it
--   tools       tools directly inside it
--   steps       steps, and tasks, directly inside it
--   fan_out     all of these together
WITH RECURSIVE
member AS MATERIALIZED (
    SELECT
        coalesce(span.task_id, span.trace_id) AS task_id,
        span.span_id,
        -- A span that names itself as its parent has none.
        nullif(any_value(span.parent_span_id), span.span_id) AS parent_span_id,
        any_value(span.kind) AS kind,
        any_value(span.name) AS name,
        any_value(span.agent) AS agent,
        min(span.start_ns) AS start_ns
    FROM span
    WHERE span.kind <> 'fact'
    GROUP BY coalesce(span.task_id, span.trace_id), span.span_id
),

call AS (
    SELECT DISTINCT
        counted_call.task_id,
        counted_call.span_id
    FROM counted_call
),

known AS MATERIALIZED (
    SELECT
        member.*,
        member.kind IN ('task', 'agent', 'tool', 'step') AS is_frame,
        call.span_id IS NOT NULL AS is_call,
        around.span_id IS NULL AS is_loose,
        around.kind IN ('task', 'agent', 'tool', 'step') AS is_in_frame
    FROM member
    LEFT JOIN call ON member.task_id = call.task_id AND member.span_id = call.span_id
    LEFT JOIN member AS around
        ON member.task_id = around.task_id AND member.parent_span_id = around.span_id
),

root AS (
    SELECT
        known.task_id,
        min_by(known.span_id, known.start_ns) AS span_id
    FROM known
    WHERE known.kind = 'task' AND known.is_loose
    GROUP BY known.task_id
),

-- Upwards through what is no frame, until there is one; most spans are in a frame as they are.
climb AS (
    SELECT
        known.task_id,
        known.span_id,
        known.parent_span_id AS around_id,
        FALSE AS is_found
    FROM known
    WHERE (known.is_frame OR known.is_call) AND NOT known.is_loose AND NOT known.is_in_frame
    UNION
    SELECT
        climb.task_id,
        climb.span_id,
        known.parent_span_id AS around_id,
        coalesce(known.is_in_frame, FALSE) AS is_found
    FROM climb
    INNER JOIN known ON climb.task_id = known.task_id AND climb.around_id = known.span_id
    WHERE NOT climb.is_found
),

nearest AS (
    SELECT
        climb.task_id,
        climb.span_id,
        climb.around_id AS frame_id
    FROM climb
    WHERE climb.is_found
),

child AS MATERIALIZED (
    SELECT
        known.task_id,
        known.span_id,
        known.kind,
        known.is_frame,
        CASE
            WHEN known.is_in_frame THEN known.parent_span_id
            ELSE nullif(coalesce(nearest.frame_id, root.span_id), known.span_id)
        END AS frame_id
    FROM known
    LEFT JOIN nearest ON known.task_id = nearest.task_id AND known.span_id = nearest.span_id
    LEFT JOIN root ON known.task_id = root.task_id
    WHERE known.is_frame OR known.is_call
),

level AS (
    SELECT
        child.task_id,
        child.span_id,
        0 AS depth
    FROM child
    WHERE child.is_frame AND child.frame_id IS NULL
    UNION ALL
    SELECT
        child.task_id,
        child.span_id,
        level.depth + 1 AS depth
    FROM level
    INNER JOIN child ON level.task_id = child.task_id AND level.span_id = child.frame_id
    WHERE child.is_frame
),

inside AS (
    SELECT
        child.task_id,
        child.frame_id,
        count(*) FILTER (WHERE NOT child.is_frame) AS calls,
        count(*) FILTER (WHERE child.kind = 'agent') AS agents,
        count(*) FILTER (WHERE child.kind = 'tool') AS tools,
        count(*) FILTER (WHERE child.kind IN ('step', 'task')) AS steps,
        count(*) AS fan_out
    FROM child
    WHERE child.frame_id IS NOT NULL
    GROUP BY child.task_id, child.frame_id
)

SELECT
    known.task_id,
    known.span_id,
    known.kind,
    known.name,
    known.agent,
    make_timestamp(known.start_ns // 1000) AS started_at,
    level.depth,
    coalesce(inside.calls, 0) AS calls,
    coalesce(inside.agents, 0) AS agents,
    coalesce(inside.tools, 0) AS tools,
    coalesce(inside.steps, 0) AS steps,
    coalesce(inside.fan_out, 0) AS fan_out
FROM known
LEFT JOIN level ON known.task_id = level.task_id AND known.span_id = level.span_id
LEFT JOIN inside ON known.task_id = inside.task_id AND known.span_id = inside.frame_id
WHERE known.is_frame
