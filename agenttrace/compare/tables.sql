-- People as tables, to compare agents with. Draw i of persona_draw has the same shared constants as
-- draw i of model_factor_draw, so what both sides share cancels in a ratio of the two:
--   user days = energy / (prompts_per_day * energy_wh), per draw

CREATE OR REPLACE TABLE persona (
    id VARCHAR, name VARCHAR, prompts_per_day DOUBLE, input_tokens BIGINT, output_tokens BIGINT,
    cache_read_tokens BIGINT, class VARCHAR, model VARCHAR, title VARCHAR, year INTEGER, url VARCHAR,
    mark VARCHAR, retrieved DATE
);
COMMENT ON TABLE persona IS 'One row per kind of person, ours before those of the user.';
COMMENT ON COLUMN persona.id IS 'Stable name.';
COMMENT ON COLUMN persona.name IS 'Name in reports.';
COMMENT ON COLUMN persona.prompts_per_day IS 'Prompts a day, per person.';
COMMENT ON COLUMN persona.input_tokens IS 'Input tokens a prompt, those from a cache included.';
COMMENT ON COLUMN persona.output_tokens IS 'Output tokens a prompt.';
COMMENT ON COLUMN persona.cache_read_tokens IS 'Part of the input that is read from a cache.';
COMMENT ON COLUMN persona.class IS 'Size class of the model that answers; unknown where its name says none.';
COMMENT ON COLUMN persona.model IS 'The model that answers; NULL where only its class is given.';
COMMENT ON COLUMN persona.title IS 'Title of the source, or the assumption itself.';
COMMENT ON COLUMN persona.year IS 'Year of the source; NULL for an assumption.';
COMMENT ON COLUMN persona.url IS 'Address or DOI of the source; NULL for an assumption.';
COMMENT ON COLUMN persona.mark IS 'How prompts_per_day is known: derived, assumption, ...';
COMMENT ON COLUMN persona.retrieved IS 'When the source was looked up, or the assumption made.';

CREATE OR REPLACE TABLE persona_prompt (
    id VARCHAR, energy_wh DOUBLE, energy_low_wh DOUBLE, energy_high_wh DOUBLE
);
COMMENT ON TABLE persona_prompt IS 'One row per persona: the energy of a prompt, at the facility.';
COMMENT ON COLUMN persona_prompt.id IS 'As in persona.';
COMMENT ON COLUMN persona_prompt.energy_wh IS 'Central estimate, Wh.';
COMMENT ON COLUMN persona_prompt.energy_low_wh IS '5 % of the draws, Wh.';
COMMENT ON COLUMN persona_prompt.energy_high_wh IS '95 % of the draws, Wh.';

CREATE OR REPLACE TABLE persona_draw (id VARCHAR, draw INTEGER, energy_wh DOUBLE);
COMMENT ON TABLE persona_draw IS 'One row per persona and draw.';
COMMENT ON COLUMN persona_draw.id IS 'As in persona.';
COMMENT ON COLUMN persona_draw.draw IS 'Number of the draw, from 0, as in model_factor_draw.';
COMMENT ON COLUMN persona_draw.energy_wh IS 'Energy of one prompt, Wh.';
