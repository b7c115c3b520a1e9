-- One row per task and model: the sums that the energy of a task is made from.
--   task_id           id of the task
--   provider          who answered
--   model             model that answered, else the one that was asked for
--   calls             model calls
--   calls_unpriced    calls whose usage lacks a side: what is missing is in no sum
--   uncached          sum of n_u: input tokens not read from a cache
--   uncached_context  sum of n_u * (n_c + n_u / 2)
--   cached            sum of n_c: input tokens read from a cache
--   output            sum of n_o: output tokens, reasoning included
--   output_context    sum of n_o * (n_c + n_u + n_o / 2)
--   energy_wh         Wh at the facility, central estimate; NULL where no usage is reported
WITH
moment AS (
    SELECT
        task_total.task_id,
        task_total.provider,
        task_total.model,
        task_total.calls,
        task_total.unpriced_calls,
        CASE WHEN task_total.input_tokens_calls > 0 THEN task_total.uncached::DOUBLE END AS uncached,
        CASE
            WHEN task_total.input_tokens_calls > 0 THEN task_total.uncached_context_x2 / 2
        END AS uncached_context,
        CASE WHEN task_total.input_tokens_calls > 0 THEN task_total.cached::DOUBLE END AS cached,
        CASE WHEN task_total.output_calls > 0 THEN task_total.output::DOUBLE END AS output,
        CASE WHEN task_total.output_calls > 0 THEN task_total.output_context_x2 / 2 END AS output_context
    FROM task_total
)

SELECT
    moment.task_id,
    moment.provider,
    moment.model,
    moment.calls,
    CASE
        WHEN model_factor.j_uncached IS NULL THEN moment.calls
        ELSE moment.unpriced_calls
    END AS calls_unpriced,
    moment.uncached,
    moment.uncached_context,
    moment.cached,
    moment.output,
    moment.output_context,
    list_sum([
        moment.uncached * model_factor.j_uncached,
        moment.uncached_context * model_factor.j_uncached_context,
        moment.cached * model_factor.j_cached,
        moment.output * model_factor.j_output,
        moment.output_context * model_factor.j_output_context
    ]) / 3600 AS energy_wh
FROM moment
LEFT JOIN model_factor
    ON
        moment.provider IS NOT DISTINCT FROM model_factor.provider
        AND moment.model IS NOT DISTINCT FROM model_factor.model
