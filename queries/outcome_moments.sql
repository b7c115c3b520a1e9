-- One row per outcome, project, task name, place, model and basis: the sums that their energy is made from.
-- Whatever a meter saw is taken out of the estimate, and stands beside it as joules at the meter's boundary.
--   outcome           success, failure or abandoned; NULL where nothing says
--   project           project of the tasks, else their service
--   task_name         name of the tasks; NULL for calls outside of any task
--   region            cloud region, where the host tells
--   provider          who answered
--   model             model that answered, else the one that was asked for
--   basis             estimated; or the boundary of a meter, whose joules are then in uncached
--   calls             model calls; 0 beside measured joules, so that each call counts once
--   calls_unpriced    calls whose usage lacks a side: what is missing is in no sum
--   energy_wh         Wh at the boundary of factor_set, central; NULL where no usage is reported
--   uncached          sum of n_u: input tokens not read from a cache
--   uncached_context  sum of n_u * (n_c + n_u / 2)
--   cached            sum of n_c: input tokens read from a cache
--   output            sum of n_o: output tokens, reasoning included
--   output_context    sum of n_o * (n_c + n_u + n_o / 2)
SELECT
    task_workload.outcome,
    task_workload.project,
    task_workload.task_name,
    task_moments.region,
    task_moments.provider,
    task_moments.model,
    task_moments.basis,
    sum(task_moments.calls)::BIGINT AS calls,
    sum(task_moments.calls_unpriced)::BIGINT AS calls_unpriced,
    sum(task_moments.energy_wh) AS energy_wh,
    sum(task_moments.uncached) AS uncached,
    sum(task_moments.uncached_context) AS uncached_context,
    sum(task_moments.cached) AS cached,
    sum(task_moments.output) AS output,
    sum(task_moments.output_context) AS output_context
FROM task_moments
LEFT JOIN task_workload ON task_moments.task_id = task_workload.task_id
GROUP BY
    task_workload.outcome,
    task_workload.project,
    task_workload.task_name,
    task_moments.region,
    task_moments.provider,
    task_moments.model,
    task_moments.basis
