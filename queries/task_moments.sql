-- One row per task and model: the sums that the energy of a task is made from.
--   task_id           id of the task
--   provider          who answered
--   model             model that answered, else the one that was asked for
--   calls             model calls
--   calls_unpriced    calls whose usage lacks a side: what is missing is in no sum
--   uncached          sum of n_u: input tokens not read from a cache
--   uncached_context  sum of n_u * (n_c + n_u / 2)
--   cached            sum of n_c: input tokens read from a cache
--   output            sum of n_o: output tokens, reasoning included
--   output_context    sum of n_o * (n_c + n_u + n_o / 2)
--   energy_wh         Wh at the facility, central estimate; NULL where no usage is reported
SELECT
    call_energy.task_id,
    call_energy.provider,
    call_energy.model,
    count(*) AS calls,
    count(*) FILTER (WHERE call_energy.unpriced) AS calls_unpriced,
    sum(call_energy.uncached) AS uncached,
    sum(call_energy.uncached_context) AS uncached_context,
    sum(call_energy.cached) AS cached,
    sum(call_energy.output) AS output,
    sum(call_energy.output_context) AS output_context,
    sum(call_energy.energy_wh) AS energy_wh
FROM call_energy
GROUP BY call_energy.task_id, call_energy.provider, call_energy.model
