-- One row per task, hour, place, kind of call and basis, and several where a part is taken away: moments.
-- Whatever a meter saw leaves the estimate in the hour in which it ran, and stands beside it as joules.
--   task_id           task of the calls
--   hour              hour in which they started, UTC
--   region            cloud region, where the host tells
--   provider          who answered
--   model             model that answered, else the one that was asked for
--   role              role of the calls
--   hidden            nobody reads the output as the answer of the task
--   basis             estimated; or the boundary of a meter, whose joules are then in uncached
--   uncached          sum of n_u: input tokens not read from a cache
--   uncached_context  sum of n_u * (n_c + n_u / 2)
--   cached            sum of n_c: input tokens read from a cache
--   output            sum of n_o: output tokens, reasoning included
--   output_context    sum of n_o * (n_c + n_u + n_o / 2)
SELECT
    call_rollup.task_id,
    call_rollup.hour,
    call_rollup.region,
    call_rollup.provider,
    call_rollup.model,
    call_rollup.role,
    call_rollup.hidden,
    'estimated' AS basis,
    call_rollup.uncached,
    call_rollup.uncached_context_x2 / 2 AS uncached_context,
    call_rollup.cached,
    call_rollup.output,
    call_rollup.output_context_x2 / 2 AS output_context
FROM call_rollup
UNION ALL
-- What was measured leaves the estimate in the hour in which it ran.
SELECT
    measured_sum.task_id,
    measured_sum.hour,
    measured_sum.region,
    measured_sum.provider,
    measured_sum.model,
    measured_sum.role,
    measured_sum.hidden,
    'estimated' AS basis,
    -measured_sum.uncached AS uncached,
    -measured_sum.uncached_context_x2 / 2 AS uncached_context,
    -measured_sum.cached AS cached,
    -measured_sum.output AS output,
    -measured_sum.output_context_x2 / 2 AS output_context
FROM measured_sum
UNION ALL
SELECT
    measured_sum.task_id,
    measured_sum.hour,
    measured_sum.region,
    measured_sum.provider,
    measured_sum.model,
    measured_sum.role,
    measured_sum.hidden,
    measured_sum.boundary AS basis,
    measured_sum.measured_j AS uncached,
    0 AS uncached_context,
    0 AS cached,
    0 AS output,
    0 AS output_context
FROM measured_sum
