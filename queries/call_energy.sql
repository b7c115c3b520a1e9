-- One row per model call: its tokens, their moments, and its central energy, carbon and water.
-- Energy is a sum of five products, moment times coefficient of the model, so the range of any number of
-- calls needs only the sums of their moments. A side of the usage that is not reported is in no sum. What a
-- meter saw of a call stands in place of that part of its estimate.
--   call_id                id of the call
--   operation_id           attempts of one operation share it
--   task_id                task of the call
--   region                 cloud region, where the host tells
--   provider               who answered
--   model                  model that answered, else the one that was asked for
--   role                   role of the call
--   hidden                 nobody reads the output as the answer of the task
--   attempt                1 for the first attempt of the operation
--   status                 ok, error or unset
--   started_at             start, UTC
--   total_tokens           input and output together; of a side that is not reported, the other
--   input_tokens           tokens sent, cache reads and writes included; NULL where not reported
--   input_uncached_tokens  part of input_tokens neither read from a prompt cache nor written to one
--   cache_read_tokens      part of input_tokens read from a prompt cache; NULL where not reported
--   cache_write_tokens     part of input_tokens written to a prompt cache; NULL where not reported
--   output_tokens          tokens generated, reasoning included; NULL where not reported
--   reasoning_tokens       part of output_tokens that is reasoning; NULL where not reported
--   uncached               n_u: input tokens not read from a cache
--   uncached_context       n_u * (n_c + n_u / 2)
--   cached                 n_c: input tokens read from a cache
--   output                 n_o: output tokens, reasoning included
--   output_context         n_o * (n_c + n_u + n_o / 2)
--   unpriced               usage lacks a side, or the model a factor: the energy is missing or too low
--   covered                part of the call's time that a meter covers, 0 to 1
--   measured_wh            Wh of that part, brought to the boundary of factor_set; NULL where no meter was
--   estimate_wh            Wh of the whole call as estimated, central; NULL where no usage is reported
--   energy_wh              Wh at the boundary of factor_set, central: what was measured, and the estimate of
--                          the rest; NULL where neither is known
--   resolution             of the carbon: hourly, annual or world
--   carbon_g               grams of CO2 equivalent, location-based, central
--   water_l                litres of water of site and grid, central
WITH
counted AS (
    SELECT
        model_call.call_id,
        model_call.operation_id,
        model_call.task_id,
        model_call.region,
        model_call.provider,
        model_call.model,
        model_call.role,
        model_call.hidden,
        model_call.attempt,
        model_call.status,
        model_call.started_at,
        model_call.total_tokens,
        model_call.input_tokens,
        model_call.input_uncached_tokens,
        model_call.cache_read_tokens,
        model_call.cache_write_tokens,
        model_call.output_tokens,
        model_call.reasoning_tokens,
        model_call.input_tokens - coalesce(model_call.cache_read_tokens, 0) AS n_u,
        CASE
            WHEN model_call.input_tokens IS NOT NULL THEN coalesce(model_call.cache_read_tokens, 0)
        END AS n_c,
        CASE
            WHEN model_call.operation IN ('embeddings', 'rerank') THEN coalesce(model_call.output_tokens, 0)
            ELSE model_call.output_tokens
        END AS n_o
    FROM model_call
),

moment AS (
    SELECT
        counted.*,
        counted.n_u::DOUBLE AS uncached,
        counted.n_u * (counted.n_c + counted.n_u / 2) AS uncached_context,
        counted.n_c::DOUBLE AS cached,
        counted.n_o::DOUBLE AS output,
        counted.n_o * (coalesce(counted.n_c + counted.n_u, 0) + counted.n_o / 2) AS output_context
    FROM counted
),

estimated AS (
    SELECT
        moment.*,
        moment.n_u IS NULL OR moment.n_o IS NULL OR model_factor.j_uncached IS NULL AS unpriced,
        list_sum([
            moment.uncached * model_factor.j_uncached,
            moment.uncached_context * model_factor.j_uncached_context,
            moment.cached * model_factor.j_cached,
            moment.output * model_factor.j_output,
            moment.output_context * model_factor.j_output_context
        ]) / 3600 AS estimate_wh
    FROM moment
    LEFT JOIN model_factor
        ON
            moment.provider IS NOT DISTINCT FROM model_factor.provider
            AND moment.model IS NOT DISTINCT FROM model_factor.model
            AND model_factor.basis = 'estimated'
),

weighed AS (
    SELECT
        estimated.*,
        coalesce(measured_call.covered, 0) AS covered,
        measured_call.measured_wh * model_factor.j_uncached AS measured_wh,
        list_sum([
            measured_call.measured_wh * model_factor.j_uncached,
            estimated.estimate_wh * (1 - coalesce(measured_call.covered, 0))
        ]) AS energy_wh
    FROM estimated
    LEFT JOIN measured_call ON estimated.call_id = measured_call.call_id
    LEFT JOIN model_factor
        ON
            estimated.provider IS NOT DISTINCT FROM model_factor.provider
            AND estimated.model IS NOT DISTINCT FROM model_factor.model
            AND measured_call.boundary = model_factor.basis
)

SELECT
    weighed.call_id,
    weighed.operation_id,
    weighed.task_id,
    weighed.region,
    weighed.provider,
    weighed.model,
    weighed.role,
    weighed.hidden,
    weighed.attempt,
    weighed.status,
    weighed.started_at,
    weighed.total_tokens,
    weighed.input_tokens,
    weighed.input_uncached_tokens,
    weighed.cache_read_tokens,
    weighed.cache_write_tokens,
    weighed.output_tokens,
    weighed.reasoning_tokens,
    weighed.uncached,
    weighed.uncached_context,
    weighed.cached,
    weighed.output,
    weighed.output_context,
    weighed.unpriced,
    weighed.covered,
    weighed.measured_wh,
    weighed.estimate_wh,
    weighed.energy_wh,
    CASE WHEN grid_hour.g_per_kwh IS NOT NULL THEN 'hourly' ELSE place.resolution END AS resolution,
    weighed.energy_wh * coalesce(grid_hour.g_per_kwh, place.g_per_kwh) / 1000 AS carbon_g,
    weighed.energy_wh * place.l_per_kwh / 1000 AS water_l
FROM weighed
LEFT JOIN place
    ON
        weighed.provider IS NOT DISTINCT FROM place.provider
        AND weighed.region IS NOT DISTINCT FROM place.region
LEFT JOIN grid_hour
    ON
        place.zone = grid_hour.zone
        AND date_trunc('hour', weighed.started_at) = grid_hour.hour
