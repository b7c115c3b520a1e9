-- One row per file of windows, boundary and meter: what was measured, and what of it no call took.
-- The joules of a window that no call ran in are idle; they are given to no call.
--   file          file in measured/, without its ending
--   meter         what measured: zeus, codecarbon, dcgm, ...
--   source        file that it was read from, or the command that was measured
--   boundary      what the joules cover: accelerator, server or facility
--   mark          measured, or modelled in part
--   machines      machines that were measured; NULL where none is said
--   devices       devices that were measured; 0 where none is said
--   windows       windows
--   idle_windows  those of them in which no call ran
--   first_at      start of the first window, UTC
--   last_at       end of the last window, UTC
--   seconds       length of all windows together
--   idle_seconds  part of it that is windows without a call
--   busy_seconds  part of it in which at least one call ran
--   joules        what was measured
--   idle_joules   part of it in windows without a call
WITH
stretch AS (
    SELECT
        measured_share.file,
        measured_share.number,
        measured_share.to_ns
        - greatest(
            measured_share.from_ns,
            coalesce(
                max(measured_share.to_ns) OVER (
                    PARTITION BY measured_share.file, measured_share.number
                    ORDER BY measured_share.from_ns, measured_share.to_ns, measured_share.call_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ),
                measured_share.from_ns
            )
        ) AS busy_ns
    FROM measured_share
),

busy AS (
    SELECT
        stretch.file,
        stretch.number,
        sum(greatest(stretch.busy_ns, 0)) AS busy_ns
    FROM stretch
    GROUP BY stretch.file, stretch.number
)

SELECT
    measured_window.file,
    measured_window.meter,
    measured_window.source,
    measured_window.boundary,
    measured_window.mark,
    string_agg(DISTINCT measured_window.host, ', ' ORDER BY measured_window.host) AS machines,
    count(DISTINCT measured_window.device) AS devices,
    count(*) AS windows,
    count(*) FILTER (WHERE busy.busy_ns IS NULL) AS idle_windows,
    make_timestamp(min(measured_window.start_ns) // 1000) AS first_at,
    make_timestamp(max(measured_window.end_ns) // 1000) AS last_at,
    sum(measured_window.end_ns - measured_window.start_ns) / 1e9 AS seconds,
    coalesce(
        sum(measured_window.end_ns - measured_window.start_ns) FILTER (WHERE busy.busy_ns IS NULL), 0
    )
    / 1e9 AS idle_seconds,
    coalesce(sum(busy.busy_ns), 0) / 1e9 AS busy_seconds,
    sum(measured_window.joules) AS joules,
    coalesce(sum(measured_window.joules) FILTER (WHERE busy.busy_ns IS NULL), 0) AS idle_joules
FROM measured_window
LEFT JOIN busy
    ON
        measured_window.file = busy.file
        AND measured_window.number = busy.number
GROUP BY
    measured_window.file,
    measured_window.meter,
    measured_window.source,
    measured_window.boundary,
    measured_window.mark
