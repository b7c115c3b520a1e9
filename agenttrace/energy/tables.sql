-- The factors as tables: users can read, audit and join them. Energy is joules until a query
-- divides by 3,600. The moments that the coefficients multiply, per call:
--   uncached n_u, uncached_context n_u*(n_c + n_u/2), cached n_c, output n_o,
--   output_context n_o*(n_c + n_u + n_o/2)
-- with n_c cache reads, n_u the rest of the input, n_o the output.

CREATE OR REPLACE TABLE factor_set (
    version VARCHAR, boundary VARCHAR, draws INTEGER, low_quantile DOUBLE, high_quantile DOUBLE
);
COMMENT ON TABLE factor_set IS 'One row: what every estimate of this report was made with.';
COMMENT ON COLUMN factor_set.version IS 'Short hash over the factors, the library data and the draws.';
COMMENT ON COLUMN factor_set.boundary IS 'What the energy covers: accelerator, server or facility.';
COMMENT ON COLUMN factor_set.draws IS 'Number of joint draws of all factors.';
COMMENT ON COLUMN factor_set.low_quantile IS 'Quantile of the draws that is low, 0 to 1.';
COMMENT ON COLUMN factor_set.high_quantile IS 'Quantile of the draws that is high, 0 to 1.';

CREATE OR REPLACE TABLE factor_source (
    id VARCHAR, name VARCHAR, unit VARCHAR, low DOUBLE, central DOUBLE, high DOUBLE,
    boundary VARCHAR, mark VARCHAR, retrieved DATE,
    title VARCHAR, authors VARCHAR, year INTEGER, url VARCHAR, locator VARCHAR, source_mark VARCHAR
);
COMMENT ON TABLE factor_source IS 'One row per factor in use and source of it: two sources, two rows.';
COMMENT ON COLUMN factor_source.id IS 'Constant, or class or model and the part it plays.';
COMMENT ON COLUMN factor_source.name IS 'What it is, in words.';
COMMENT ON COLUMN factor_source.unit IS 'Unit of low, central and high.';
COMMENT ON COLUMN factor_source.low IS '5 % of what is known, in unit.';
COMMENT ON COLUMN factor_source.central IS 'Median, in unit.';
COMMENT ON COLUMN factor_source.high IS '95 %, in unit.';
COMMENT ON COLUMN factor_source.boundary IS 'accelerator, facility, or model (a property of the model).';
COMMENT ON COLUMN factor_source.mark IS 'How it came: read, excerpt, second-hand, derived, assumption.';
COMMENT ON COLUMN factor_source.retrieved IS 'When.';
COMMENT ON COLUMN factor_source.title IS 'Title of the source.';
COMMENT ON COLUMN factor_source.authors IS 'Authors, or who publishes it.';
COMMENT ON COLUMN factor_source.year IS 'Year of publication.';
COMMENT ON COLUMN factor_source.url IS 'Address or DOI.';
COMMENT ON COLUMN factor_source.locator IS 'Where in the source, and what is found there.';
COMMENT ON COLUMN factor_source.source_mark IS 'How we know the source: read, excerpt, second-hand.';

CREATE OR REPLACE TABLE boundary_factor (boundary VARCHAR, multiplier DOUBLE);
COMMENT ON TABLE boundary_factor IS 'One row per boundary: what it takes for a joule at the accelerator.';
COMMENT ON COLUMN boundary_factor.boundary IS 'accelerator, server or facility.';
COMMENT ON COLUMN boundary_factor.multiplier IS 'Joules at the boundary per joule at the accelerator, central.';

CREATE OR REPLACE TABLE boundary_draw (boundary VARCHAR, draw INTEGER, multiplier DOUBLE);
COMMENT ON TABLE boundary_draw IS 'One row per boundary and draw.';
COMMENT ON COLUMN boundary_draw.boundary IS 'accelerator, server or facility.';
COMMENT ON COLUMN boundary_draw.draw IS 'Number of the draw, from 0, as in model_factor_draw.';
COMMENT ON COLUMN boundary_draw.multiplier IS 'Joules at the boundary per joule at the accelerator.';

CREATE OR REPLACE TABLE place (
    provider VARCHAR, region VARCHAR, zone VARCHAR, country VARCHAR,
    g_per_kwh DOUBLE, g_per_kwh_low DOUBLE, g_per_kwh_high DOUBLE,
    l_per_kwh DOUBLE, l_per_kwh_low DOUBLE, l_per_kwh_high DOUBLE,
    resolution VARCHAR, reason VARCHAR, title VARCHAR, url VARCHAR, mark VARCHAR
);
COMMENT ON TABLE place IS 'One row per recorded provider and region: where its calls ran, as far as is known.';
COMMENT ON COLUMN place.provider IS 'As recorded; NULL where the record has none.';
COMMENT ON COLUMN place.region IS 'As recorded; NULL where the record has none.';
COMMENT ON COLUMN place.zone IS 'Zone of the grid; WOR is the world. grid_hour goes by it.';
COMMENT ON COLUMN place.country IS 'ISO 3166-1 alpha-3 code; empty where it is not one country.';
COMMENT ON COLUMN place.g_per_kwh IS 'Annual average of the grid, gCO2e/kWh, location-based.';
COMMENT ON COLUMN place.g_per_kwh_low IS '5 % of what is known of it, gCO2e/kWh.';
COMMENT ON COLUMN place.g_per_kwh_high IS '95 % of what is known of it, gCO2e/kWh.';
COMMENT ON COLUMN place.l_per_kwh IS 'Water of site and grid, litres per kWh at the boundary of the energy.';
COMMENT ON COLUMN place.l_per_kwh_low IS '5 % of the draws, l/kWh.';
COMMENT ON COLUMN place.l_per_kwh_high IS '95 % of the draws, l/kWh.';
COMMENT ON COLUMN place.resolution IS 'annual, or world where the place is unknown.';
COMMENT ON COLUMN place.reason IS 'Why this place, in words.';
COMMENT ON COLUMN place.title IS 'Title of the source of the intensity.';
COMMENT ON COLUMN place.url IS 'Address of that source.';
COMMENT ON COLUMN place.mark IS 'How place and intensity are known: read, derived, assumption, ...';

CREATE OR REPLACE TABLE place_draw (
    provider VARCHAR, region VARCHAR, draw INTEGER, g_per_kwh DOUBLE, l_per_kwh DOUBLE
);
COMMENT ON TABLE place_draw IS 'One row per place and draw: gCO2e = joules / 3.6e6 * g_per_kwh of the same draw.';
COMMENT ON COLUMN place_draw.provider IS 'As in place.';
COMMENT ON COLUMN place_draw.region IS 'As in place.';
COMMENT ON COLUMN place_draw.draw IS 'Number of the draw, from 0, as in model_factor_draw.';
COMMENT ON COLUMN place_draw.g_per_kwh IS 'gCO2e/kWh; the same in every draw where the zone is known.';
COMMENT ON COLUMN place_draw.l_per_kwh IS 'Litres per kWh at the boundary of the energy.';

CREATE OR REPLACE TABLE grid_hour (
    zone VARCHAR, hour TIMESTAMP, g_per_kwh DOUBLE, marginal_g_per_kwh DOUBLE, cfe_share DOUBLE
);
COMMENT ON TABLE grid_hour IS 'One row per zone and hour that the user imported with agenttrace grid import.';
COMMENT ON COLUMN grid_hour.zone IS 'Zone of the grid, as in place.';
COMMENT ON COLUMN grid_hour.hour IS 'Start of the hour, UTC.';
COMMENT ON COLUMN grid_hour.g_per_kwh IS 'Average intensity of the hour, gCO2e/kWh; NULL where only the marginal one is known.';
COMMENT ON COLUMN grid_hour.marginal_g_per_kwh IS 'Intensity of one kWh more, gCO2e/kWh; never mixed with the average.';
COMMENT ON COLUMN grid_hour.cfe_share IS 'Carbon-free share of the electricity, 0 to 1.';

-- The 5 % and 95 % of 256 draws: what quantile_cont says, in a fraction of its time and memory. They
-- lie between the 13th and the 14th from each end.
CREATE OR REPLACE MACRO low_of_draws(drawn) AS 0.25 * min(drawn, 14)[13] + 0.75 * min(drawn, 14)[14];
CREATE OR REPLACE MACRO high_of_draws(drawn) AS 0.25 * max(drawn, 14)[13] + 0.75 * max(drawn, 14)[14];

CREATE OR REPLACE TABLE model_factor (
    provider VARCHAR, model VARCHAR, basis VARCHAR, class VARCHAR, known BOOLEAN, match_reason VARCHAR,
    active_parameters_b_low DOUBLE, active_parameters_b_central DOUBLE,
    active_parameters_b_high DOUBLE,
    j_uncached DOUBLE, j_uncached_context DOUBLE, j_cached DOUBLE, j_output DOUBLE,
    j_output_context DOUBLE
);
COMMENT ON TABLE model_factor IS 'One row per provider, model and basis: central coefficients at the boundary of factor_set.';
COMMENT ON COLUMN model_factor.provider IS 'As recorded; NULL where the record has none.';
COMMENT ON COLUMN model_factor.model IS 'As recorded; NULL where the record has none.';
COMMENT ON COLUMN model_factor.basis IS 'estimated; or the boundary of a measurement, whose joules are then the moment of j_uncached.';
COMMENT ON COLUMN model_factor.class IS 'Size class; unknown spans all of them.';
COMMENT ON COLUMN model_factor.known IS 'False where neither the catalogue nor a name pattern matched.';
COMMENT ON COLUMN model_factor.match_reason IS 'Why this class and these parameters.';
COMMENT ON COLUMN model_factor.active_parameters_b_low IS 'Active parameters, 5 %, 1e9.';
COMMENT ON COLUMN model_factor.active_parameters_b_central IS 'Active parameters, median, 1e9.';
COMMENT ON COLUMN model_factor.active_parameters_b_high IS 'Active parameters, 95 %, 1e9.';
COMMENT ON COLUMN model_factor.j_uncached IS 'Joules per uncached input token.';
COMMENT ON COLUMN model_factor.j_uncached_context IS 'Joules per n_u*(n_c + n_u/2).';
COMMENT ON COLUMN model_factor.j_cached IS 'Joules per cached input token.';
COMMENT ON COLUMN model_factor.j_output IS 'Joules per output token.';
COMMENT ON COLUMN model_factor.j_output_context IS 'Joules per n_o*(n_c + n_u + n_o/2).';

CREATE OR REPLACE TABLE model_factor_draw (
    provider VARCHAR, model VARCHAR, basis VARCHAR, draw INTEGER,
    j_uncached DOUBLE, j_uncached_context DOUBLE, j_cached DOUBLE, j_output DOUBLE,
    j_output_context DOUBLE
);
COMMENT ON TABLE model_factor_draw IS 'One row per model and draw; models share a draw''s constants.';
COMMENT ON COLUMN model_factor_draw.provider IS 'As in model_factor.';
COMMENT ON COLUMN model_factor_draw.model IS 'As in model_factor.';
COMMENT ON COLUMN model_factor_draw.basis IS 'As in model_factor.';
COMMENT ON COLUMN model_factor_draw.draw IS 'Number of the draw, from 0.';
COMMENT ON COLUMN model_factor_draw.j_uncached IS 'Joules per uncached input token.';
COMMENT ON COLUMN model_factor_draw.j_uncached_context IS 'Joules per n_u*(n_c + n_u/2).';
COMMENT ON COLUMN model_factor_draw.j_cached IS 'Joules per cached input token.';
COMMENT ON COLUMN model_factor_draw.j_output IS 'Joules per output token.';
COMMENT ON COLUMN model_factor_draw.j_output_context IS 'Joules per n_o*(n_c + n_u + n_o/2).';
