-- One row per draw of the factors: the energy, carbon and water of all calls together in that draw.
--   draw        number of the draw; the same draw has the same factors everywhere
--   energy_wh   Wh at the boundary of factor_set; NULL where no call reports its usage
--   carbon_g    grams of CO2 equivalent, with the grid of the same draw
--   water_l     litres of water of site and grid
SELECT
    model_draw.draw,
    sum(model_draw.energy_wh) AS energy_wh,
    sum(model_draw.carbon_g) AS carbon_g,
    sum(model_draw.water_l) AS water_l
FROM model_draw
GROUP BY model_draw.draw
