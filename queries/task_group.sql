-- One row per task: the group that chance has put it into, one of 400 at most.
-- A sampling error is told by drawing groups again and again in place of tasks, of which there may be many.
-- The hash of the id decides, so a task is in the same group in every report.
--   task_id     id of the task; the trace id where no task was recorded
--   task_group  0 to 399
SELECT
    recorded_task.task_id,
    ('0x' || md5(recorded_task.task_id)[:8])::BIGINT % 400 AS task_group
FROM recorded_task
