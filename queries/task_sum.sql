-- One row per task: what its spans say about it.
-- Kept by the fold; of two rows of a task the counts add up, and of what only one span can say the earliest
-- counts; of its outcome the latest. Those columns hold when it was said (at, nanoseconds since 1970-01-01
-- UTC) and what (says).
--   task_id           id of the task; the trace id where no task was recorded
--   spans             its spans, those that say nothing about structure included; no facts
--   structure_spans   tasks, agents, tools, steps and model calls among them
--   agents            agents that ran, repeated runs counted
--   tools             tool calls
--   judged_spans      spans that count as a call or not by what else is recorded
--   placed_spans      those of them of which other spans tell: not seen at the wire where they were made
--   interrupted_spans spans that were cut off with their process
--   is_cut_off        its root span is one of them; NULL where it has none
--   task_name         name of the task
--   session_id        conversation of the task
--   service_name      service.name of the process that recorded its first span
--   workload          agentic or user-facing
--   status            ok, error or unset, of its root span
--   headless          nobody reads the answer; NULL where nothing says
--   start_ns          start of its first span, nanoseconds since 1970-01-01 UTC
--   end_ns            end of its last span, nanoseconds since 1970-01-01 UTC
--   project           project of the task
--   branch            branch of the repository that it works in
--   user_turns        prompts by a person; NULL where nothing says
--   user_hash         who prompted, as a keyed hash
--   task_outcome      success, failure or abandoned, as was said last, and its reference to look it up by
SELECT
    coalesce(span.task_id, span.trace_id) AS task_id,
    count(*) FILTER (WHERE span.kind <> 'fact') AS spans,
    count(*) FILTER (WHERE span.kind NOT IN ('other', 'fact')) AS structure_spans,
    count(*) FILTER (WHERE span.kind = 'agent') AS agents,
    count(*) FILTER (WHERE span.kind = 'tool') AS tools,
    count(*) FILTER (WHERE span.kind = 'inference' AND span.counted IS NULL) AS judged_spans,
    count(*) FILTER (
        WHERE
        span.kind = 'inference'
        AND span.counted IS NULL
        AND (span.capture IS DISTINCT FROM 'wire' OR span.scope IS DISTINCT FROM 'agenttrace')
    ) AS placed_spans,
    count(*) FILTER (WHERE span.outcome = 'interrupted') AS interrupted_spans,
    bool_or(coalesce(span.outcome = 'interrupted', FALSE)) FILTER (WHERE span.kind = 'task') AS is_cut_off,
    min({ 'at': span.start_ns, 'says': span.task_name }) FILTER (
        WHERE span.task_name IS NOT NULL AND span.kind NOT IN ('other', 'fact')
    ) AS task_name,
    min({ 'at': span.start_ns, 'says': span.session_id }) FILTER (
        WHERE span.session_id IS NOT NULL AND span.kind NOT IN ('other', 'fact')
    ) AS session_id,
    min({ 'at': span.start_ns, 'says': span.service_name }) FILTER (
        WHERE span.service_name IS NOT NULL AND span.kind NOT IN ('other', 'fact')
    ) AS service_name,
    min({ 'at': span.start_ns, 'says': span.workload }) FILTER (WHERE span.workload IS NOT NULL) AS workload,
    min({ 'at': span.start_ns, 'says': span.status }) FILTER (WHERE span.kind = 'task') AS status,
    bool_or(span.headless) AS headless,
    min(span.start_ns) FILTER (WHERE span.kind <> 'fact') AS start_ns,
    max(span.start_ns + coalesce(span.duration_ns, 0)) FILTER (WHERE span.kind <> 'fact') AS end_ns,
    min({ 'at': span.start_ns, 'says': span.project }) FILTER (WHERE span.project IS NOT NULL) AS project,
    min({ 'at': span.start_ns, 'says': span.branch }) FILTER (WHERE span.branch IS NOT NULL) AS branch,
    sum(span.user_turns)::BIGINT AS user_turns,
    min({ 'at': span.start_ns, 'says': span.user_hash }) FILTER (
        WHERE span.user_hash IS NOT NULL
    ) AS user_hash,
    max({ 'at': span.start_ns, 'says': span.task_outcome, 'reference': span.outcome_reference }) FILTER (
        WHERE span.task_outcome IS NOT NULL
    ) AS task_outcome
FROM span
GROUP BY coalesce(span.task_id, span.trace_id)
