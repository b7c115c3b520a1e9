-- One row per task: whether an agent worked or a person was answered, who asked, and what became of it.
-- What a task says of itself counts first, then what workloads.toml says of its project, then of its service;
-- what nothing says is taken for agentic. A prompt by a person is a user turn. Where nobody counted them a
-- task is one and a headless task none; of calls that no task was framed around nobody knows, unless they are
-- user-facing: then each trace is one.
--   task_id            id of the task; the trace id where no task was recorded
--   task_name          name of the task; NULL for a call outside of any task
--   project            project of the task, else service.name of the process that recorded its first span
--   service_name       service.name of the process that recorded its first span
--   workload           agentic or user-facing
--   workload_from      what says so: task, project, service, or default where nothing does
--   user_turns         prompts by a person; NULL where nobody knows
--   user_turns_from    what says so: recorded, or default where nothing does
--   user_hash          who prompted, as a keyed hash; NULL where nothing says
--   outcome            success, failure or abandoned; NULL where nothing says
--   outcome_reference  what the outcome can be looked up by; NULL where nothing says
WITH
said AS (
    SELECT
        task_fact.*,
        coalesce(task_fact.project, task_fact.service_name) AS project_or_service,
        of_project.workload AS project_workload,
        of_service.workload AS service_workload,
        coalesce(task_fact.workload, of_project.workload, of_service.workload, 'agentic') AS decided
    FROM task_fact
    INNER JOIN recorded_task ON task_fact.task_id = recorded_task.task_id
    LEFT JOIN workload_setting AS of_project
        ON
            of_project.scope = 'project'
            AND coalesce(task_fact.project, task_fact.service_name) = of_project.name
    LEFT JOIN workload_setting AS of_service
        ON of_service.scope = 'service' AND task_fact.service_name = of_service.name
)

SELECT
    said.task_id,
    said.task_name,
    said.project_or_service AS project,
    said.service_name,
    said.decided AS workload,
    CASE
        WHEN said.workload IS NOT NULL THEN 'task'
        WHEN said.project_workload IS NOT NULL THEN 'project'
        WHEN said.service_workload IS NOT NULL THEN 'service'
        ELSE 'default'
    END AS workload_from,
    CASE
        WHEN said.user_turns IS NOT NULL THEN said.user_turns
        WHEN said.headless THEN 0
        WHEN said.task_name IS NOT NULL OR said.decided = 'user-facing' THEN 1
    END AS user_turns,
    CASE WHEN said.user_turns IS NOT NULL THEN 'recorded' ELSE 'default' END AS user_turns_from,
    said.user_hash,
    said.task_outcome AS outcome,
    said.outcome_reference
FROM said
