-- One row per model and draw of the factors: the energy, carbon and water of its calls in that draw.
-- Sums of model_place_draw, as the ranges of places are: what replaces that one changes both.
--   provider   who answered
--   model      model that answered, else the one that was asked for
--   draw       number of the draw; the same draw has the same factors everywhere
--   energy_wh  Wh at the boundary of factor_set; NULL where no call reports its usage
--   carbon_g   grams of CO2 equivalent, with the grid of the same draw
--   water_l    litres of water of site and grid
SELECT
    model_place_draw.provider,
    model_place_draw.model,
    model_place_draw.draw,
    sum(model_place_draw.energy_wh) AS energy_wh,
    sum(model_place_draw.carbon_g) AS carbon_g,
    sum(model_place_draw.water_l) AS water_l
FROM model_place_draw
GROUP BY model_place_draw.provider, model_place_draw.model, model_place_draw.draw
