-- One row: everything together. An empty store has zeros, and NULL for what no call reports.
-- A range is the 5 % to 95 % of the draws, widened where needed to hold the central value, which adds up over
-- parts as quantiles do not.
--   tasks                  tasks, those without a model call included
--   operations             operations; the attempts of one operation are calls
--   calls                  model calls
--   hidden_calls           calls whose output nobody reads as the answer of the task
--   retry_calls            calls that are not the first attempt of their operation
--   failed_calls           calls that ended in an error
--   calls_unpriced         calls whose usage lacks a side: what is missing is in no sum
--   first_started_at       start of the first call, UTC
--   last_started_at        start of the last call, UTC
--   total_tokens           input and output together
--   hidden_tokens          part of total_tokens that moved in hidden calls
--   input_tokens           tokens sent, cache reads and writes included
--   input_uncached_tokens  part of input_tokens neither read from a prompt cache nor written to one
--   cache_read_tokens      part of input_tokens read from a prompt cache
--   cache_write_tokens     part of input_tokens written to a prompt cache
--   output_tokens          tokens generated, reasoning included
--   reasoning_tokens       part of output_tokens that is reasoning
--   energy_wh              Wh at the facility, central estimate; NULL where no call reports its usage
--   energy_low_wh          5 % of the draws of the factors
--   energy_high_wh         95 % of the draws of the factors
--   hidden_energy_wh       part of energy_wh that went into hidden calls
--   carbon_g               grams of CO2 equivalent, central estimate
--   carbon_low_g           5 % of the draws of the factors and of the grid
--   carbon_high_g          95 % of the draws of the factors and of the grid
WITH
-- Each call is looked at once: DuckDB would decide what counts anew for every part of the answer.
call AS MATERIALIZED (
    SELECT
        call_energy.operation_id,
        call_energy.provider,
        call_energy.model,
        call_energy.hidden,
        call_energy.attempt,
        call_energy.status,
        call_energy.started_at,
        call_energy.total_tokens,
        call_energy.input_tokens,
        call_energy.input_uncached_tokens,
        call_energy.cache_read_tokens,
        call_energy.cache_write_tokens,
        call_energy.output_tokens,
        call_energy.reasoning_tokens,
        call_energy.uncached,
        call_energy.uncached_context,
        call_energy.cached,
        call_energy.output,
        call_energy.output_context,
        call_energy.unpriced,
        call_energy.energy_wh
    FROM call_energy
),

token AS (
    SELECT
        count(DISTINCT call.operation_id) AS operations,
        count(*) AS calls,
        count(*) FILTER (WHERE call.hidden) AS hidden_calls,
        count(*) FILTER (WHERE call.attempt > 1) AS retry_calls,
        count(*) FILTER (WHERE call.status = 'error') AS failed_calls,
        count(*) FILTER (WHERE call.unpriced) AS calls_unpriced,
        min(call.started_at) AS first_started_at,
        max(call.started_at) AS last_started_at,
        sum(call.total_tokens)::BIGINT AS total_tokens,
        CASE
            WHEN count(*) > 0 AND count(*) FILTER (WHERE call.hidden) = 0 THEN 0
            ELSE sum(CASE WHEN call.hidden THEN call.total_tokens END)
        END::BIGINT AS hidden_tokens,
        sum(call.input_tokens)::BIGINT AS input_tokens,
        sum(call.input_uncached_tokens)::BIGINT AS input_uncached_tokens,
        sum(call.cache_read_tokens)::BIGINT AS cache_read_tokens,
        sum(call.cache_write_tokens)::BIGINT AS cache_write_tokens,
        sum(call.output_tokens)::BIGINT AS output_tokens,
        sum(call.reasoning_tokens)::BIGINT AS reasoning_tokens,
        sum(call.energy_wh) AS energy_wh,
        CASE
            WHEN count(*) > 0 AND count(*) FILTER (WHERE call.hidden) = 0 THEN 0
            ELSE sum(CASE WHEN call.hidden THEN call.energy_wh END)
        END AS hidden_energy_wh
    FROM call
),

model_moments AS (
    SELECT
        call.provider,
        call.model,
        sum(call.uncached) AS uncached,
        sum(call.uncached_context) AS uncached_context,
        sum(call.cached) AS cached,
        sum(call.output) AS output,
        sum(call.output_context) AS output_context
    FROM call
    GROUP BY call.provider, call.model
),

drawn AS (
    SELECT
        model_factor_draw.draw,
        sum(list_sum([
            model_moments.uncached * model_factor_draw.j_uncached,
            model_moments.uncached_context * model_factor_draw.j_uncached_context,
            model_moments.cached * model_factor_draw.j_cached,
            model_moments.output * model_factor_draw.j_output,
            model_moments.output_context * model_factor_draw.j_output_context
        ])) / 3600 AS energy_wh
    FROM model_moments
    INNER JOIN model_factor_draw
        ON
            model_moments.provider IS NOT DISTINCT FROM model_factor_draw.provider
            AND model_moments.model IS NOT DISTINCT FROM model_factor_draw.model
    GROUP BY model_factor_draw.draw
),

energy_range AS (
    SELECT
        quantile_cont(drawn.energy_wh, [0.05, 0.95]) AS energies_wh,
        quantile_cont(drawn.energy_wh * grid_draw.g_per_kwh / 1000, [0.05, 0.95]) AS carbons_g
    FROM drawn
    INNER JOIN grid_draw ON drawn.draw = grid_draw.draw
),

task_count AS (
    SELECT count(DISTINCT coalesce(span.task_id, span.trace_id)) AS tasks
    FROM span
    WHERE span.kind <> 'other'
)

SELECT
    task_count.tasks,
    token.operations,
    token.calls,
    token.hidden_calls,
    token.retry_calls,
    token.failed_calls,
    token.calls_unpriced,
    token.first_started_at,
    token.last_started_at,
    token.total_tokens,
    token.hidden_tokens,
    token.input_tokens,
    token.input_uncached_tokens,
    token.cache_read_tokens,
    token.cache_write_tokens,
    token.output_tokens,
    token.reasoning_tokens,
    token.energy_wh,
    least(energy_range.energies_wh[1], token.energy_wh) AS energy_low_wh,
    greatest(energy_range.energies_wh[2], token.energy_wh) AS energy_high_wh,
    token.hidden_energy_wh,
    token.energy_wh * grid.g_per_kwh / 1000 AS carbon_g,
    least(energy_range.carbons_g[1], token.energy_wh * grid.g_per_kwh / 1000) AS carbon_low_g,
    greatest(energy_range.carbons_g[2], token.energy_wh * grid.g_per_kwh / 1000) AS carbon_high_g
FROM token
CROSS JOIN energy_range
CROSS JOIN task_count
CROSS JOIN grid
