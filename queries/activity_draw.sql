-- One row per month, workload, project, place, model, kind of token and draw: energy, carbon and water.
-- Whatever the activity says of ranges is a quantile of sums of these.
--   month        month in which the calls started, UTC, YYYY-MM
--   workload     agentic or user-facing
--   project      project of the task, else its service; NULL where nothing says
--   provider     who answered
--   model        model that answered, else the one that was asked for
--   region       cloud region, where the host tells
--   kind         input_uncached, cache_read, output, or unreported
--   draw         number of the draw, which has the same factors everywhere; NULL for the central values
--   energy_wh    Wh at the boundary of factor_set; NULL where nothing is known of it
--   hourly_wh    part of energy_wh in hours of which the grid is known
--   measured_wh  part of energy_wh that a meter saw
--   carbon_g     grams of CO2 equivalent, location-based
--   water_l      litres of water of site and grid
WITH
factor AS (
    SELECT
        model_factor.provider,
        place.region,
        model_factor.model,
        model_factor.basis,
        NULL AS draw,
        model_factor.j_uncached,
        model_factor.j_uncached_context,
        model_factor.j_cached,
        model_factor.j_output,
        model_factor.j_output_context,
        place.g_per_kwh,
        place.l_per_kwh
    FROM model_factor
    INNER JOIN place ON model_factor.provider IS NOT DISTINCT FROM place.provider
    UNION ALL BY NAME
    SELECT energy_draw.*
    FROM energy_draw
),

-- A measured joule has one coefficient, whatever it went into.
priced AS (
    SELECT
        activity_moments.*,
        factor.draw,
        factor.g_per_kwh,
        factor.l_per_kwh,
        CASE
            WHEN activity_moments.basis <> 'estimated' THEN factor.j_uncached
            WHEN activity_moments.kind = 'input_uncached' THEN factor.j_uncached
            WHEN activity_moments.kind = 'cache_read' THEN factor.j_cached
            WHEN activity_moments.kind = 'output' THEN factor.j_output
        END AS j_linear,
        CASE
            WHEN activity_moments.basis <> 'estimated' THEN 0
            WHEN activity_moments.kind = 'input_uncached' THEN factor.j_uncached_context
            WHEN activity_moments.kind = 'cache_read' THEN 0
            WHEN activity_moments.kind = 'output' THEN factor.j_output_context
        END AS j_context
    FROM activity_moments
    INNER JOIN factor
        ON
            activity_moments.provider IS NOT DISTINCT FROM factor.provider
            AND activity_moments.region IS NOT DISTINCT FROM factor.region
            AND activity_moments.model IS NOT DISTINCT FROM factor.model
            AND activity_moments.basis = factor.basis
),

used AS (
    SELECT
        priced.*,
        (priced.linear * priced.j_linear + priced.context * priced.j_context) / 3600 AS energy_wh,
        (priced.hourly_linear * priced.j_linear + priced.hourly_context * priced.j_context)
        / 3600 AS hourly_wh,
        (priced.hourly_linear_g * priced.j_linear + priced.hourly_context_g * priced.j_context)
        / 3.6e6 AS hourly_carbon_g
    FROM priced
)

SELECT
    used.month,
    used.workload,
    used.project,
    used.provider,
    used.model,
    used.region,
    used.kind,
    used.draw,
    sum(used.energy_wh) AS energy_wh,
    sum(used.hourly_wh) AS hourly_wh,
    coalesce(sum(used.energy_wh) FILTER (WHERE used.basis <> 'estimated'), 0) AS measured_wh,
    sum((used.energy_wh - used.hourly_wh) * used.g_per_kwh / 1000 + used.hourly_carbon_g) AS carbon_g,
    sum(used.energy_wh * used.l_per_kwh) / 1000 AS water_l
FROM used
GROUP BY
    used.month,
    used.workload,
    used.project,
    used.provider,
    used.model,
    used.region,
    used.kind,
    used.draw
