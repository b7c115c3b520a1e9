-- One row per task that made a model call: what a person reads of it.
-- The calls that are marked; where none is, the last good one of the outermost agent that calls a model. Of a
-- headless task nobody reads anything.
--   task_id     id of the task
--   is_marked   the user has marked the calls that a person reads
--   call        the call that a person reads, as in call_answer; NULL where calls are marked, or none is read
WITH
answer AS (
    SELECT
        call_answer.task_id,
        bool_or(call_answer.is_marked) AS is_marked,
        CASE
            WHEN bool_or(call_answer.has_main) THEN max(call_answer.main_call)
            ELSE max(call_answer.subagent_call)
        END AS call
    FROM call_answer
    GROUP BY call_answer.task_id
)

SELECT
    answer.task_id,
    answer.is_marked,
    CASE WHEN NOT answer.is_marked AND task_fact.headless IS NOT TRUE THEN answer.call END AS call
FROM answer
LEFT JOIN task_fact ON answer.task_id = task_fact.task_id
