-- One row per model call: its tokens, their moments, and its central energy.
-- Energy is a sum of five products, moment times coefficient of the model, so the range of any number of
-- calls needs only the sums of their moments. A side of the usage that is not reported is in no sum.
--   call_id                id of the call
--   operation_id           attempts of one operation share it
--   task_id                task of the call
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
--   energy_wh              Wh at the facility, central estimate; NULL where no usage is reported
WITH
counted AS (
    SELECT
        model_call.call_id,
        model_call.operation_id,
        model_call.task_id,
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
)

SELECT
    moment.call_id,
    moment.operation_id,
    moment.task_id,
    moment.provider,
    moment.model,
    moment.role,
    moment.hidden,
    moment.attempt,
    moment.status,
    moment.started_at,
    moment.total_tokens,
    moment.input_tokens,
    moment.input_uncached_tokens,
    moment.cache_read_tokens,
    moment.cache_write_tokens,
    moment.output_tokens,
    moment.reasoning_tokens,
    moment.uncached,
    moment.uncached_context,
    moment.cached,
    moment.output,
    moment.output_context,
    moment.n_u IS NULL OR moment.n_o IS NULL OR model_factor.j_uncached IS NULL AS unpriced,
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
