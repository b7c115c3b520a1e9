-- One row per task, hour, kind of call and boundary: what was measured, and the moments that it stands for.
-- An estimate less these moments, plus these joules brought to its boundary, holds each call once.
--   task_id              id of the task
--   hour                 hour in which the calls started, UTC
--   region               cloud region, where the host tells
--   provider             who answered
--   model                model that answered, else the one that was asked for
--   role                 role of the calls
--   hidden               nobody reads the output as the answer of the task
--   boundary             what the measurement covers: accelerator, server or facility
--   calls                calls that were measured, wholly or in part
--   partly_calls         those of them that were measured in part
--   covered_calls        sum of the parts of the calls that were measured
--   modelled_calls       those of them whose meter computes a part from the load
--   unpriced_calls       those of them whose usage lacks a side: what is missing is in no moment
--   measured_j           joules that meters saw
--   unpriced_j           part of them of calls whose usage lacks a side
--   uncached             sum of n_u of the measured parts: input tokens not read from a cache
--   uncached_context_x2  sum of n_u * (2 * n_c + n_u), twice the moment
--   cached               sum of n_c: input tokens read from a cache
--   output               sum of n_o: output tokens, reasoning included
--   output_context_x2    sum of n_o * (2 * (n_c + n_u) + n_o), twice the moment
SELECT
    measured_call.task_id,
    date_trunc('hour', measured_call.started_at) AS hour,
    measured_call.region,
    measured_call.provider,
    measured_call.model,
    measured_call.role,
    measured_call.hidden,
    measured_call.boundary,
    count(*) AS calls,
    count(*) FILTER (WHERE measured_call.covered < 0.999999) AS partly_calls,
    sum(measured_call.covered) AS covered_calls,
    count(*) FILTER (WHERE measured_call.mark <> 'measured') AS modelled_calls,
    count(*) FILTER (WHERE measured_call.uncached IS NULL OR measured_call.output IS NULL) AS unpriced_calls,
    sum(measured_call.measured_wh) * 3600 AS measured_j,
    coalesce(
        sum(measured_call.measured_wh)
        FILTER (WHERE measured_call.uncached IS NULL OR measured_call.output IS NULL),
        0
    )
    * 3600 AS unpriced_j,
    sum(coalesce(measured_call.uncached, 0)) AS uncached,
    sum(coalesce(measured_call.uncached_context_x2, 0)) AS uncached_context_x2,
    sum(coalesce(measured_call.cached, 0)) AS cached,
    sum(coalesce(measured_call.output, 0)) AS output,
    sum(coalesce(measured_call.output_context_x2, 0)) AS output_context_x2
FROM measured_call
GROUP BY ALL
