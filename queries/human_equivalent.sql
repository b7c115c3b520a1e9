-- One row per persona: how many people of that kind use as much, in energy and in tokens.
-- Both sides of a ratio are taken from the same draw, so what they share cancels.
-- A range is the 5 % to 95 % of the draws, widened where needed to hold the central value, which adds up over
-- parts as quantiles do not.
--   persona               id of the persona
--   name                  the persona in words
--   prompts_per_day       prompts of one person in a day
--   input_tokens          tokens sent with one prompt
--   output_tokens         tokens generated for one prompt
--   prompt_energy_wh      Wh of one prompt, central estimate
--   user_days             days of one such person with the same energy, central; NULL where it is unknown
--   user_days_low         5 % of the draws
--   user_days_high        95 % of the draws
--   user_days_by_tokens   days of one such person with as many tokens; needs no energy factor
--   days                  days between the first and the last call, at least 1
--   users                 such people active all that time with the same energy, central
--   users_low             5 % of the draws
--   users_high            95 % of the draws
--   title                 source of the persona, or the assumption itself
--   url                   where the source is; NULL for an assumption
WITH
drawn AS (
    SELECT
        persona_draw.id,
        quantile_cont(total_draw.energy_wh / persona_draw.energy_wh, [0.05, 0.95]) AS prompts
    FROM persona_draw
    INNER JOIN total_draw ON persona_draw.draw = total_draw.draw
    GROUP BY persona_draw.id
),

equivalent AS (
    SELECT
        persona.id AS persona,
        persona.name,
        persona.prompts_per_day,
        persona.input_tokens,
        persona.output_tokens,
        persona_prompt.energy_wh AS prompt_energy_wh,
        totals.energy_wh / persona_prompt.energy_wh / persona.prompts_per_day AS user_days,
        drawn.prompts[1] / persona.prompts_per_day AS user_days_low,
        drawn.prompts[2] / persona.prompts_per_day AS user_days_high,
        totals.total_tokens
        / (persona.input_tokens + persona.output_tokens)
        / persona.prompts_per_day AS user_days_by_tokens,
        greatest(
            1, (epoch_ms(totals.last_started_at) - epoch_ms(totals.first_started_at)) / 86400000
        ) AS days,
        persona.title,
        persona.url
    FROM persona
    INNER JOIN persona_prompt ON persona.id = persona_prompt.id
    LEFT JOIN drawn ON persona.id = drawn.id
    CROSS JOIN totals
)

SELECT
    equivalent.persona,
    equivalent.name,
    equivalent.prompts_per_day,
    equivalent.input_tokens,
    equivalent.output_tokens,
    equivalent.prompt_energy_wh,
    equivalent.user_days,
    least(equivalent.user_days_low, equivalent.user_days) AS user_days_low,
    greatest(equivalent.user_days_high, equivalent.user_days) AS user_days_high,
    equivalent.user_days_by_tokens,
    equivalent.days,
    equivalent.user_days / equivalent.days AS users,
    least(equivalent.user_days_low, equivalent.user_days) / equivalent.days AS users_low,
    greatest(equivalent.user_days_high, equivalent.user_days) / equivalent.days AS users_high,
    equivalent.title,
    equivalent.url
FROM equivalent
