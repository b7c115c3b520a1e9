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
COMMENT ON COLUMN factor_set.boundary IS 'What the energy covers: facility, from the accelerator to cooling.';
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

CREATE OR REPLACE TABLE grid (
    zone VARCHAR, g_per_kwh DOUBLE, g_per_kwh_low DOUBLE, g_per_kwh_high DOUBLE,
    resolution VARCHAR, title VARCHAR, url VARCHAR, mark VARCHAR
);
COMMENT ON TABLE grid IS 'One row: the carbon intensity of electricity in use, location-based.';
COMMENT ON COLUMN grid.zone IS 'ISO 3166-1 alpha-3 code; WOR is the world.';
COMMENT ON COLUMN grid.g_per_kwh IS 'Annual average, gCO2e/kWh.';
COMMENT ON COLUMN grid.g_per_kwh_low IS '5 % over the countries if the place is unknown, gCO2e/kWh.';
COMMENT ON COLUMN grid.g_per_kwh_high IS '95 % over the countries if the place is unknown, gCO2e/kWh.';
COMMENT ON COLUMN grid.resolution IS 'annual (a country), or world (the place is unknown).';
COMMENT ON COLUMN grid.title IS 'Title of the source.';
COMMENT ON COLUMN grid.url IS 'Address of the source.';
COMMENT ON COLUMN grid.mark IS 'read, or derived (the range over countries).';

CREATE OR REPLACE TABLE grid_draw (draw INTEGER, g_per_kwh DOUBLE);
COMMENT ON TABLE grid_draw IS 'One row per draw: gCO2e = joules / 3.6e6 * g_per_kwh of the same draw.';
COMMENT ON COLUMN grid_draw.draw IS 'Number of the draw, from 0, as in model_factor_draw.';
COMMENT ON COLUMN grid_draw.g_per_kwh IS 'gCO2e/kWh; the same in every draw where the country is known.';

CREATE OR REPLACE TABLE model_factor (
    provider VARCHAR, model VARCHAR, class VARCHAR, known BOOLEAN, match_reason VARCHAR,
    active_parameters_b_low DOUBLE, active_parameters_b_central DOUBLE,
    active_parameters_b_high DOUBLE,
    j_uncached DOUBLE, j_uncached_context DOUBLE, j_cached DOUBLE, j_output DOUBLE,
    j_output_context DOUBLE
);
COMMENT ON TABLE model_factor IS 'One row per provider and model: central coefficients at the facility.';
COMMENT ON COLUMN model_factor.provider IS 'As recorded; NULL where the record has none.';
COMMENT ON COLUMN model_factor.model IS 'As recorded; NULL where the record has none.';
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
    provider VARCHAR, model VARCHAR, draw INTEGER,
    j_uncached DOUBLE, j_uncached_context DOUBLE, j_cached DOUBLE, j_output DOUBLE,
    j_output_context DOUBLE
);
COMMENT ON TABLE model_factor_draw IS 'One row per model and draw; models share a draw''s constants.';
COMMENT ON COLUMN model_factor_draw.provider IS 'As in model_factor.';
COMMENT ON COLUMN model_factor_draw.model IS 'As in model_factor.';
COMMENT ON COLUMN model_factor_draw.draw IS 'Number of the draw, from 0.';
COMMENT ON COLUMN model_factor_draw.j_uncached IS 'Joules per uncached input token.';
COMMENT ON COLUMN model_factor_draw.j_uncached_context IS 'Joules per n_u*(n_c + n_u/2).';
COMMENT ON COLUMN model_factor_draw.j_cached IS 'Joules per cached input token.';
COMMENT ON COLUMN model_factor_draw.j_output IS 'Joules per output token.';
COMMENT ON COLUMN model_factor_draw.j_output_context IS 'Joules per n_o*(n_c + n_u + n_o/2).';
