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
token AS (
    SELECT
        count(DISTINCT model_call.operation_id) AS operations,
        count(*) AS calls,
        count(*) FILTER (WHERE model_call.hidden) AS hidden_calls,
        count(*) FILTER (WHERE model_call.attempt > 1) AS retry_calls,
        count(*) FILTER (WHERE model_call.status = 'error') AS failed_calls,
        min(model_call.started_at) AS first_started_at,
        max(model_call.started_at) AS last_started_at,
        sum(model_call.total_tokens)::BIGINT AS total_tokens,
        sum(CASE WHEN model_call.hidden THEN model_call.total_tokens END)::BIGINT AS hidden_tokens,
        sum(model_call.input_tokens)::BIGINT AS input_tokens,
        sum(model_call.input_uncached_tokens)::BIGINT AS input_uncached_tokens,
        sum(model_call.cache_read_tokens)::BIGINT AS cache_read_tokens,
        sum(model_call.cache_write_tokens)::BIGINT AS cache_write_tokens,
        sum(model_call.output_tokens)::BIGINT AS output_tokens,
        sum(model_call.reasoning_tokens)::BIGINT AS reasoning_tokens
    FROM model_call
),

energy AS (
    SELECT
        coalesce(sum(task_moments.calls_unpriced), 0)::BIGINT AS calls_unpriced,
        sum(task_moments.energy_wh) AS energy_wh,
        sum(task_moments.hidden_energy_wh) AS hidden_energy_wh
    FROM task_moments
),

energy_range AS (
    SELECT
        quantile_cont(total_draw.energy_wh, [0.05, 0.95]) AS energies_wh,
        quantile_cont(total_draw.carbon_g, [0.05, 0.95]) AS carbons_g
    FROM total_draw
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
    energy.calls_unpriced,
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
    energy.energy_wh,
    least(energy_range.energies_wh[1], energy.energy_wh) AS energy_low_wh,
    greatest(energy_range.energies_wh[2], energy.energy_wh) AS energy_high_wh,
    energy.hidden_energy_wh,
    energy.energy_wh * grid.g_per_kwh / 1000 AS carbon_g,
    least(energy_range.carbons_g[1], energy.energy_wh * grid.g_per_kwh / 1000) AS carbon_low_g,
    greatest(energy_range.carbons_g[2], energy.energy_wh * grid.g_per_kwh / 1000) AS carbon_high_g
FROM token
CROSS JOIN energy
CROSS JOIN energy_range
CROSS JOIN task_count
CROSS JOIN grid
