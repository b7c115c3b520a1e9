-- One row per role that calls had: its part of the central energy.
--   role             main, subagent, tool, retry, summary, ...
--   calls            model calls
--   hidden_calls     calls whose output nobody reads as the answer of the task
--   calls_unpriced   calls whose usage lacks a side: what is missing is in no sum
--   energy_wh        Wh at the facility, central estimate; NULL where no call reports its usage
SELECT
    call_energy.role,
    count(*) AS calls,
    count(*) FILTER (WHERE call_energy.hidden) AS hidden_calls,
    count(*) FILTER (WHERE call_energy.unpriced) AS calls_unpriced,
    sum(call_energy.energy_wh) AS energy_wh
FROM call_energy
GROUP BY call_energy.role
