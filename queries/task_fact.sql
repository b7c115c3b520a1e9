-- One row per task and per trace without one: what its spans say about it, added up.
--   task_id           id of the task; the trace id where no task was recorded
--   task_name         name of the task; NULL for a call outside of any task
--   session_id        conversation of the task
--   service_name      service.name of the process that recorded its first span
--   workload          agentic or user-facing; NULL where nothing says
--   headless          nobody reads the answer; NULL where nothing says
--   project           project of the task; NULL where nothing says
--   branch            branch of the repository that it works in; NULL where nothing says
--   user_turns        prompts by a person; NULL where nothing says
--   user_hash         who prompted, as a keyed hash; NULL where nothing says
--   task_outcome      success, failure or abandoned, as was said last; NULL where nothing says
--   outcome_reference what the outcome can be looked up by; NULL where nothing says
--   status            ok, error or unset, of its root span; NULL until that has arrived
--   spans             its spans
--   structure_spans   tasks, agents, tools, steps and model calls among them; none is no task
--   agents            agents that ran, repeated runs counted
--   tools             tool calls
--   judged_spans      spans that count as a call or not by what else is recorded
--   placed_spans      those of them of which other spans tell: not seen at the wire where they were made
--   interrupted_spans spans that were cut off with their process
--   is_cut_off        its root span is one of them; NULL where it has none
--   start_ns          start of its first span, nanoseconds since 1970-01-01 UTC
--   end_ns            end of its last span, nanoseconds since 1970-01-01 UTC
SELECT
    task_sum.task_id,
    min(task_sum.task_name).says AS task_name,
    min(task_sum.session_id).says AS session_id,
    min(task_sum.service_name).says AS service_name,
    min(task_sum.workload).says AS workload,
    bool_or(task_sum.headless) AS headless,
    min(task_sum.project).says AS project,
    min(task_sum.branch).says AS branch,
    sum(task_sum.user_turns)::BIGINT AS user_turns,
    min(task_sum.user_hash).says AS user_hash,
    max(task_sum.task_outcome).says AS task_outcome,
    max(task_sum.task_outcome).reference AS outcome_reference,
    min(task_sum.status).says AS status,
    sum(task_sum.spans)::BIGINT AS spans,
    sum(task_sum.structure_spans)::BIGINT AS structure_spans,
    sum(task_sum.agents)::BIGINT AS agents,
    sum(task_sum.tools)::BIGINT AS tools,
    sum(task_sum.judged_spans)::BIGINT AS judged_spans,
    sum(task_sum.placed_spans)::BIGINT AS placed_spans,
    sum(task_sum.interrupted_spans)::BIGINT AS interrupted_spans,
    bool_or(task_sum.is_cut_off) AS is_cut_off,
    min(task_sum.start_ns) AS start_ns,
    max(task_sum.end_ns) AS end_ns
FROM task_sum
GROUP BY task_sum.task_id
