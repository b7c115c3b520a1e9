-- One row: everything together. An empty store has zeros, and NULL for what no call reports.
-- A range is the 5 % to 95 % of the draws, widened where needed to hold the central value, which adds up over
-- parts as quantiles do not.
--   tasks                  tasks, those without a model call included
--   operations             operations: calls that are the first attempt of theirs
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
--   energy_wh              Wh at the boundary of factor_set, central; NULL where no call reports its usage
--   energy_low_wh          5 % of the draws of the factors
--   energy_high_wh         95 % of the draws of the factors
--   hidden_energy_wh       part of energy_wh that went into hidden calls
--   carbon_g               grams of CO2 equivalent, location-based, central
--   carbon_low_g           5 % of the draws of the factors and of the grid
--   carbon_high_g          95 % of the draws of the factors and of the grid
--   water_l                litres of water of site and grid, central
--   water_low_l            5 % of the draws
--   water_high_l           95 % of the draws
WITH
token AS (
    SELECT
        sum(call_total.calls - call_total.retry_calls)::BIGINT AS operations,
        sum(call_total.calls)::BIGINT AS calls,
        sum(call_total.calls) FILTER (WHERE call_total.hidden)::BIGINT AS hidden_calls,
        sum(call_total.retry_calls)::BIGINT AS retry_calls,
        sum(call_total.calls) FILTER (WHERE call_total.status = 'error')::BIGINT AS failed_calls,
        min(call_total.first_started_at) AS first_started_at,
        max(call_total.last_started_at) AS last_started_at,
        CASE
            WHEN sum(call_total.total_tokens_calls) > 0 THEN sum(call_total.total_tokens)
        END::BIGINT AS total_tokens,
        CASE
            WHEN
                sum(call_total.calls) > 0
                AND coalesce(sum(call_total.calls) FILTER (WHERE call_total.hidden), 0) = 0
                THEN 0
            WHEN sum(call_total.total_tokens_calls) FILTER (WHERE call_total.hidden) > 0
                THEN sum(call_total.total_tokens) FILTER (WHERE call_total.hidden)
        END::BIGINT AS hidden_tokens,
        CASE
            WHEN sum(call_total.input_tokens_calls) > 0 THEN sum(call_total.input_tokens)
        END::BIGINT AS input_tokens,
        CASE
            WHEN sum(call_total.input_tokens_calls) > 0 THEN sum(call_total.input_uncached_tokens)
        END::BIGINT AS input_uncached_tokens,
        CASE
            WHEN sum(call_total.cache_read_tokens_calls) > 0 THEN sum(call_total.cache_read_tokens)
        END::BIGINT AS cache_read_tokens,
        CASE
            WHEN sum(call_total.cache_write_tokens_calls) > 0 THEN sum(call_total.cache_write_tokens)
        END::BIGINT AS cache_write_tokens,
        CASE
            WHEN sum(call_total.output_tokens_calls) > 0 THEN sum(call_total.output_tokens)
        END::BIGINT AS output_tokens,
        CASE
            WHEN sum(call_total.reasoning_tokens_calls) > 0 THEN sum(call_total.reasoning_tokens)
        END::BIGINT AS reasoning_tokens
    FROM call_total
),

energy AS (
    SELECT
        sum(model_moments.calls_unpriced)::BIGINT AS calls_unpriced,
        sum(model_moments.energy_wh) AS energy_wh,
        sum(model_moments.carbon_g) AS carbon_g,
        sum(model_moments.water_l) AS water_l,
        CASE
            WHEN count(*) > 0 AND count(*) FILTER (WHERE model_moments.hidden) = 0 THEN 0
            ELSE sum(CASE WHEN model_moments.hidden THEN model_moments.energy_wh END)
        END AS hidden_energy_wh
    FROM model_moments
),

energy_range AS (
    SELECT
        low_of_draws(total_draw.energy_wh) AS energy_low_wh,
        high_of_draws(total_draw.energy_wh) AS energy_high_wh,
        low_of_draws(total_draw.carbon_g) AS carbon_low_g,
        high_of_draws(total_draw.carbon_g) AS carbon_high_g,
        low_of_draws(total_draw.water_l) AS water_low_l,
        high_of_draws(total_draw.water_l) AS water_high_l
    FROM total_draw
),

task_count AS (
    SELECT count(*) AS tasks
    FROM recorded_task
)

SELECT
    task_count.tasks,
    coalesce(token.operations, 0) AS operations,
    coalesce(token.calls, 0) AS calls,
    coalesce(token.hidden_calls, 0) AS hidden_calls,
    coalesce(token.retry_calls, 0) AS retry_calls,
    coalesce(token.failed_calls, 0) AS failed_calls,
    coalesce(energy.calls_unpriced, 0) AS calls_unpriced,
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
    least(energy_range.energy_low_wh, energy.energy_wh) AS energy_low_wh,
    greatest(energy_range.energy_high_wh, energy.energy_wh) AS energy_high_wh,
    energy.hidden_energy_wh,
    energy.carbon_g,
    least(energy_range.carbon_low_g, energy.carbon_g) AS carbon_low_g,
    greatest(energy_range.carbon_high_g, energy.carbon_g) AS carbon_high_g,
    energy.water_l,
    least(energy_range.water_low_l, energy.water_l) AS water_low_l,
    greatest(energy_range.water_high_l, energy.water_l) AS water_high_l
FROM token
CROSS JOIN energy
CROSS JOIN energy_range
CROSS JOIN task_count
