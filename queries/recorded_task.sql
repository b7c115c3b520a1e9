-- One row per task: which traces, and tasks that were recorded, are one.
-- A trace without a task, agent, tool, step or model call is no task. Nor is one of whose calls none counts,
-- for somebody else tells of them and better, unless something else happened in it.
--   task_id  id of the task; the trace id where no task was recorded
SELECT task_sum.task_id
FROM task_sum
GROUP BY task_sum.task_id
HAVING
    sum(task_sum.structure_spans) > sum(task_sum.judged_spans)
    OR task_sum.task_id IN (
        SELECT call_rollup.task_id FROM call_rollup
        WHERE call_rollup.judged
    )
