-- One row per month, workload, provider, model, region and kind of token: calls, tokens, energy and more.
-- Tokens and central values add up over rows to those of totals. Calls do not add up over kinds, because a
-- call moves several of them, and ends of ranges never do, because they are quantiles of sums of draws.
-- A row_id is r and the beginning of the SHA-256 of the six columns after it, U+001F between, U+001E for
-- NULL; the calls of the row have it in activity_call. Cache writes are input_uncached, reasoning is output.
--   row_id              what the row is known by, the same in every export
--   month               month in which the calls started, UTC, YYYY-MM
--   workload            agentic or user-facing
--   provider            who answered, as gen_ai.provider.name
--   model               model that answered, else the one that was asked for
--   region              cloud region, where the host tells
--   kind                input_uncached, cache_read or output; unreported: a side of the usage is not known
--   calls               calls that say this kind of token, or lack a side (unreported); not added over kinds
--   tokens              tokens of this kind; NULL where they are not known
--   cache_write_tokens  part of the uncached input that was written to a cache; NULL where no call says it
--   reasoning_tokens    part of the output that is reasoning; NULL where no call says it
--   energy_wh           Wh at the boundary, central; NULL where nothing is known of it
--   energy_low_wh       5 % of the draws of the factors
--   energy_high_wh      95 % of the draws of the factors
--   carbon_g            grams of CO2 equivalent, location-based, central
--   carbon_low_g        5 % of the draws of the factors and of the grid
--   carbon_high_g       95 % of the draws of the factors and of the grid
--   water_l             litres of water of site and grid, central
--   water_low_l         5 % of the draws
--   water_high_l        95 % of the draws
--   method              estimate, meter, or estimate and meter; none where the energy is not known
--   model_class         size class whose factors are used; unknown spans all of them
--   boundary            what the energy covers: accelerator, server or facility
--   factor_version      version of all factors together
--   zone                zone of the grid; WOR is the world
--   resolution          hourly where every hour of the grid is known, else annual, or world of no known place
--   share_hourly        part of the energy in hours of which the grid is known, 0 to 1
--   share_measured      part of the energy that a meter saw, 0 to 1
--   share_estimated     part of the calls whose tokens agenttrace estimated, 0 to 1
--   share_incomplete    part of the calls whose usage lacks a side, or whose response ended early, 0 to 1
WITH
counted AS (
    SELECT
        activity_moments.month,
        activity_moments.workload,
        activity_moments.provider,
        activity_moments.model,
        activity_moments.region,
        activity_moments.kind,
        sum(activity_moments.calls)::BIGINT AS calls,
        sum(activity_moments.calls_estimated)::BIGINT AS calls_estimated,
        sum(activity_moments.calls_incomplete)::BIGINT AS calls_incomplete,
        sum(activity_moments.tokens)::BIGINT AS tokens,
        sum(activity_moments.cache_write_tokens)::BIGINT AS cache_write_tokens,
        sum(activity_moments.reasoning_tokens)::BIGINT AS reasoning_tokens
    FROM activity_moments
    GROUP BY
        activity_moments.month,
        activity_moments.workload,
        activity_moments.provider,
        activity_moments.model,
        activity_moments.region,
        activity_moments.kind
),

drawn AS (
    SELECT
        activity_draw.month,
        activity_draw.workload,
        activity_draw.provider,
        activity_draw.model,
        activity_draw.region,
        activity_draw.kind,
        activity_draw.draw,
        sum(activity_draw.energy_wh) AS energy_wh,
        sum(activity_draw.hourly_wh) AS hourly_wh,
        sum(activity_draw.measured_wh) AS measured_wh,
        sum(activity_draw.carbon_g) AS carbon_g,
        sum(activity_draw.water_l) AS water_l
    FROM activity_draw
    GROUP BY
        activity_draw.month,
        activity_draw.workload,
        activity_draw.provider,
        activity_draw.model,
        activity_draw.region,
        activity_draw.kind,
        activity_draw.draw
),

ranged AS (
    SELECT
        drawn.month,
        drawn.workload,
        drawn.provider,
        drawn.model,
        drawn.region,
        drawn.kind,
        low_of_draws(drawn.energy_wh) AS energy_low_wh,
        high_of_draws(drawn.energy_wh) AS energy_high_wh,
        low_of_draws(drawn.carbon_g) AS carbon_low_g,
        high_of_draws(drawn.carbon_g) AS carbon_high_g,
        low_of_draws(drawn.water_l) AS water_low_l,
        high_of_draws(drawn.water_l) AS water_high_l
    FROM drawn
    WHERE drawn.draw IS NOT NULL
    GROUP BY drawn.month, drawn.workload, drawn.provider, drawn.model, drawn.region, drawn.kind
),

named AS (
    SELECT DISTINCT
        model_factor.provider,
        model_factor.model,
        model_factor.class AS model_class
    FROM model_factor
    WHERE model_factor.basis = 'estimated'
)

SELECT
    'r' || left(
        sha256(
            concat_ws(
                chr(31),
                counted.month,
                counted.workload,
                coalesce(counted.provider, chr(30)),
                coalesce(counted.model, chr(30)),
                coalesce(counted.region, chr(30)),
                counted.kind
            )
        ),
        12
    ) AS row_id,
    counted.month,
    counted.workload,
    counted.provider,
    counted.model,
    counted.region,
    counted.kind,
    counted.calls,
    counted.tokens,
    counted.cache_write_tokens,
    counted.reasoning_tokens,
    central.energy_wh,
    least(ranged.energy_low_wh, central.energy_wh) AS energy_low_wh,
    greatest(ranged.energy_high_wh, central.energy_wh) AS energy_high_wh,
    central.carbon_g,
    least(ranged.carbon_low_g, central.carbon_g) AS carbon_low_g,
    greatest(ranged.carbon_high_g, central.carbon_g) AS carbon_high_g,
    central.water_l,
    least(ranged.water_low_l, central.water_l) AS water_low_l,
    greatest(ranged.water_high_l, central.water_l) AS water_high_l,
    CASE
        WHEN central.energy_wh IS NULL THEN 'none'
        WHEN central.measured_wh = 0 THEN 'estimate'
        WHEN abs(central.energy_wh - central.measured_wh) <= 1e-9 * central.energy_wh THEN 'meter'
        ELSE 'estimate and meter'
    END AS method, -- noqa: RF04
    named.model_class,
    factor_set.boundary,
    factor_set.version AS factor_version,
    place.zone,
    CASE
        WHEN central.energy_wh IS NULL THEN NULL
        WHEN central.hourly_wh > 0 AND central.hourly_wh >= central.energy_wh * (1 - 1e-9) THEN 'hourly'
        ELSE place.resolution
    END AS resolution,
    CASE WHEN central.energy_wh > 0 THEN least(1, central.hourly_wh / central.energy_wh) END AS share_hourly,
    CASE
        WHEN central.energy_wh > 0 THEN least(1, central.measured_wh / central.energy_wh)
    END AS share_measured,
    counted.calls_estimated / nullif(counted.calls, 0) AS share_estimated,
    counted.calls_incomplete / nullif(counted.calls, 0) AS share_incomplete
FROM counted
CROSS JOIN factor_set
LEFT JOIN drawn AS central
    ON
        counted.month = central.month
        AND counted.workload = central.workload
        AND counted.provider IS NOT DISTINCT FROM central.provider
        AND counted.model IS NOT DISTINCT FROM central.model
        AND counted.region IS NOT DISTINCT FROM central.region
        AND counted.kind = central.kind
        AND central.draw IS NULL
LEFT JOIN ranged
    ON
        counted.month = ranged.month
        AND counted.workload = ranged.workload
        AND counted.provider IS NOT DISTINCT FROM ranged.provider
        AND counted.model IS NOT DISTINCT FROM ranged.model
        AND counted.region IS NOT DISTINCT FROM ranged.region
        AND counted.kind = ranged.kind
LEFT JOIN named
    ON
        counted.provider IS NOT DISTINCT FROM named.provider
        AND counted.model IS NOT DISTINCT FROM named.model
LEFT JOIN place
    ON
        counted.provider IS NOT DISTINCT FROM place.provider
        AND counted.region IS NOT DISTINCT FROM place.region
