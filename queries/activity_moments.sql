-- One row per month, workload, project, place, model, kind of token and basis: what activity is made from.
-- Calls are added by the hour and then by the month, so it costs no more for many calls. A meter sees a
-- call, not its kinds of token, so its joules are shared out over them as the estimate of the same call is;
-- those of a call whose usage lacks a side are unreported.
--   month               month in which the calls started, UTC, YYYY-MM
--   workload            agentic or user-facing
--   project             project of the task, else its service; NULL where nothing says
--   provider            who answered
--   model               model that answered, else the one that was asked for
--   region              cloud region, where the host tells
--   kind                input_uncached, cache_read, output, or unreported
--   basis               estimated; or the boundary of a meter, whose joules are then in linear
--   calls               calls that say this kind of token, or lack a side (unreported); not added over kinds
--   calls_estimated     those of them whose tokens agenttrace estimated
--   calls_incomplete    those of them whose usage lacks a side, or whose response ended early
--   tokens              tokens of this kind; NULL where no call says them
--   cache_write_tokens  part of the uncached input that was written to a cache; NULL where no call says it
--   reasoning_tokens    part of the output that is reasoning; NULL where no call says it
--   linear              n_u, n_c or n_o without what meters saw; or joules
--   context             n_u * (n_c + n_u / 2), 0, or n_o * (n_c + n_u + n_o / 2), likewise
--   hourly_linear       part of linear in hours of which the grid is known
--   hourly_context      part of context in those hours
--   hourly_linear_g     the same, each call times the gCO2e/kWh of its hour
--   hourly_context_g    the same of context
WITH
told AS (
    SELECT
        call_rollup.hour,
        coalesce(task_workload.workload, 'agentic') AS workload,
        task_workload.project,
        call_rollup.provider,
        call_rollup.model,
        call_rollup.region,
        call_rollup.usage = 'estimated' AS is_estimated,
        call_rollup.usage IN ('partial', 'missing')
        OR coalesce(call_rollup.outcome IN ('incomplete', 'abandoned', 'interrupted'), FALSE)
            AS is_incomplete,
        sum(call_rollup.unpriced_calls) AS unpriced_calls,
        sum(call_rollup.input_tokens_calls) AS input_calls,
        sum(call_rollup.cache_read_tokens_calls) AS cache_read_calls,
        sum(call_rollup.cache_write_tokens_calls) AS cache_write_calls,
        sum(call_rollup.cache_write_tokens) AS cache_write_tokens,
        sum(call_rollup.output_tokens_calls) AS output_calls,
        sum(call_rollup.reasoning_tokens_calls) AS reasoning_calls,
        sum(call_rollup.reasoning_tokens) AS reasoning_tokens,
        sum(call_rollup.uncached) AS uncached,
        sum(call_rollup.uncached_context_x2) AS uncached_context_x2,
        sum(call_rollup.cached) AS cached,
        sum(call_rollup.output) AS output,
        sum(call_rollup.output_context_x2) AS output_context_x2
    FROM call_rollup
    LEFT JOIN task_workload ON call_rollup.task_id = task_workload.task_id
    GROUP BY ALL
),

recorded AS (
    SELECT
        told.hour,
        told.workload,
        told.project,
        told.provider,
        told.model,
        told.region,
        kind.kind,
        'estimated' AS basis,
        told.is_estimated,
        told.is_incomplete,
        CASE kind.kind
            WHEN 'input_uncached' THEN told.input_calls
            WHEN 'cache_read' THEN told.cache_read_calls
            WHEN 'output' THEN told.output_calls
            ELSE told.unpriced_calls
        END AS calls,
        CASE kind.kind
            WHEN 'input_uncached' THEN told.uncached
            WHEN 'cache_read' THEN told.cached
            WHEN 'output' THEN told.output
        END AS tokens,
        CASE WHEN kind.kind = 'input_uncached' THEN told.cache_write_calls ELSE 0 END AS cache_write_calls,
        CASE WHEN kind.kind = 'input_uncached' THEN told.cache_write_tokens END AS cache_write_tokens,
        CASE WHEN kind.kind = 'output' THEN told.reasoning_calls ELSE 0 END AS reasoning_calls,
        CASE WHEN kind.kind = 'output' THEN told.reasoning_tokens END AS reasoning_tokens,
        CASE kind.kind
            WHEN 'input_uncached' THEN told.uncached
            WHEN 'cache_read' THEN told.cached
            WHEN 'output' THEN told.output
        END::DOUBLE AS linear,
        CASE kind.kind
            WHEN 'input_uncached' THEN told.uncached_context_x2 / 2
            WHEN 'cache_read' THEN 0
            WHEN 'output' THEN told.output_context_x2 / 2
        END::DOUBLE AS context
    FROM told
    CROSS JOIN (
        VALUES
        ('input_uncached'),
        ('cache_read'),
        ('output'),
        ('unreported')
    ) AS kind (kind)
),

-- Those that a selection shows are the ones of its tasks and hours.
metered AS (
    SELECT
        measured_call.*,
        date_trunc('hour', measured_call.started_at) AS hour,
        coalesce(task_workload.workload, 'agentic') AS workload,
        task_workload.project,
        measured_call.uncached IS NULL OR measured_call.output IS NULL AS lacks_a_side,
        coalesce(
            measured_call.uncached * model_factor.j_uncached
            + measured_call.uncached_context_x2 / 2 * model_factor.j_uncached_context,
            0
        ) AS uncached_j,
        coalesce(measured_call.cached * model_factor.j_cached, 0) AS cached_j,
        coalesce(
            measured_call.output * model_factor.j_output
            + measured_call.output_context_x2 / 2 * model_factor.j_output_context,
            0
        ) AS output_j
    FROM measured_call
    SEMI JOIN call_rollup
        ON
            measured_call.task_id = call_rollup.task_id
            AND date_trunc('hour', measured_call.started_at) = call_rollup.hour
    LEFT JOIN task_workload ON measured_call.task_id = task_workload.task_id
    LEFT JOIN model_factor
        ON
            measured_call.provider IS NOT DISTINCT FROM model_factor.provider
            AND measured_call.model IS NOT DISTINCT FROM model_factor.model
            AND model_factor.basis = 'estimated'
),

shared AS (
    SELECT
        metered.hour,
        metered.workload,
        metered.project,
        metered.provider,
        metered.model,
        metered.region,
        metered.boundary,
        kind.kind,
        metered.measured_wh * 3600 AS joules,
        metered.uncached_j + metered.cached_j + metered.output_j AS total_j,
        CASE kind.kind
            WHEN 'input_uncached' THEN metered.uncached_j
            WHEN 'cache_read' THEN metered.cached_j
            WHEN 'output' THEN metered.output_j
        END AS of_kind_j,
        metered.lacks_a_side,
        CASE kind.kind
            WHEN 'input_uncached' THEN metered.uncached
            WHEN 'cache_read' THEN metered.cached
            WHEN 'output' THEN metered.output
        END AS linear,
        CASE kind.kind
            WHEN 'input_uncached' THEN metered.uncached_context_x2 / 2
            WHEN 'output' THEN metered.output_context_x2 / 2
        END AS context
    FROM metered
    CROSS JOIN (
        VALUES
        ('input_uncached'),
        ('cache_read'),
        ('output'),
        ('unreported')
    ) AS kind (kind)
),

-- What was measured leaves the estimate in the hour in which it ran, and stands beside it as joules.
measured AS (
    SELECT
        shared.hour,
        shared.workload,
        shared.project,
        shared.provider,
        shared.model,
        shared.region,
        shared.kind,
        'estimated' AS basis,
        -coalesce(shared.linear, 0) AS linear,
        -coalesce(shared.context, 0) AS context
    FROM shared
    WHERE shared.kind <> 'unreported'
    UNION ALL
    SELECT
        shared.hour,
        shared.workload,
        shared.project,
        shared.provider,
        shared.model,
        shared.region,
        shared.kind,
        shared.boundary AS basis,
        CASE
            WHEN shared.kind = 'unreported' THEN shared.joules
            ELSE shared.joules * shared.of_kind_j / shared.total_j
        END AS linear,
        0 AS context
    FROM shared
    WHERE (shared.kind = 'unreported') = (shared.lacks_a_side OR shared.total_j = 0)
),

moment AS (
    SELECT recorded.*
    FROM recorded
    UNION ALL BY NAME
    SELECT measured.*
    FROM measured
    WHERE measured.linear <> 0 OR measured.context <> 0
)

SELECT
    strftime(moment.hour, '%Y-%m') AS month, -- noqa: RF04
    moment.workload,
    moment.project,
    moment.provider,
    moment.model,
    moment.region,
    moment.kind,
    moment.basis,
    coalesce(sum(moment.calls), 0)::BIGINT AS calls,
    coalesce(sum(moment.calls) FILTER (WHERE moment.is_estimated), 0)::BIGINT AS calls_estimated,
    coalesce(sum(moment.calls) FILTER (WHERE moment.is_incomplete), 0)::BIGINT AS calls_incomplete,
    sum(moment.tokens)::BIGINT AS tokens,
    CASE
        WHEN sum(moment.cache_write_calls) > 0 THEN sum(moment.cache_write_tokens)
    END::BIGINT AS cache_write_tokens,
    CASE
        WHEN sum(moment.reasoning_calls) > 0 THEN sum(moment.reasoning_tokens)
    END::BIGINT AS reasoning_tokens,
    sum(moment.linear) AS linear,
    sum(moment.context) AS context,
    coalesce(sum(moment.linear) FILTER (WHERE grid_hour.g_per_kwh IS NOT NULL), 0) AS hourly_linear,
    coalesce(sum(moment.context) FILTER (WHERE grid_hour.g_per_kwh IS NOT NULL), 0) AS hourly_context,
    coalesce(sum(moment.linear * grid_hour.g_per_kwh), 0) AS hourly_linear_g,
    coalesce(sum(moment.context * grid_hour.g_per_kwh), 0) AS hourly_context_g
FROM moment
LEFT JOIN place
    ON
        moment.provider IS NOT DISTINCT FROM place.provider
        AND moment.region IS NOT DISTINCT FROM place.region
LEFT JOIN grid_hour
    ON
        place.zone = grid_hour.zone
        AND moment.hour = grid_hour.hour
GROUP BY
    strftime(moment.hour, '%Y-%m'),
    moment.workload,
    moment.project,
    moment.provider,
    moment.model,
    moment.region,
    moment.kind,
    moment.basis
HAVING sum(moment.calls) > 0 OR moment.basis <> 'estimated'
