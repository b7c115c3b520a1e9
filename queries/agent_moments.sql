-- One row per task, day, place, model, agent, kind of call and basis: what was moved, and its central energy.
-- Whatever a meter saw is taken out of the estimate, and stands beside it as joules at the meter's boundary.
-- A meter tells of the calls of one kind and hour together, so where several agents made them each has the
-- part that it has of their estimate; where they report no tokens, of their number.
--   task_id             task of the calls; the trace id where no task was recorded
--   day                 day on which they started, UTC
--   region              cloud region, where the host tells
--   provider            who answered
--   model               model that answered, else the one that was asked for
--   agent               name of the nearest enclosing agent; NULL outside of any agent
--   agent_depth         agents around the calls: 0 none, 1 inside the root agent
--   role                role of the calls
--   hidden              nobody reads the output as the answer of the task
--   basis               estimated; or the boundary of a meter, whose joules are then in uncached
--   calls               model calls; 0 beside measured joules, so that each call counts once
--   total_tokens        input and output together; sum over the calls that report a side of it
--   total_tokens_calls  calls that report a side of it
--   uncached            sum of n_u: input tokens not read from a cache
--   uncached_context    sum of n_u * (n_c + n_u / 2)
--   cached              sum of n_c: input tokens read from a cache
--   output              sum of n_o: output tokens, reasoning included
--   output_context      sum of n_o * (n_c + n_u + n_o / 2)
--   energy_wh           Wh at the boundary of factor_set, central; NULL where no usage is reported
WITH
recorded AS (
    SELECT
        call_rollup.task_id,
        call_rollup.hour,
        call_rollup.region,
        call_rollup.provider,
        call_rollup.model,
        call_rollup.agent,
        call_rollup.agent_depth,
        call_rollup.role,
        call_rollup.hidden,
        sum(call_rollup.calls)::BIGINT AS calls,
        sum(call_rollup.total_tokens)::BIGINT AS total_tokens,
        sum(call_rollup.total_tokens_calls)::BIGINT AS total_tokens_calls,
        sum(call_rollup.input_tokens_calls)::BIGINT AS input_tokens_calls,
        sum(call_rollup.output_calls)::BIGINT AS output_calls,
        sum(call_rollup.uncached)::DOUBLE AS uncached,
        sum(call_rollup.uncached_context_x2) / 2 AS uncached_context,
        sum(call_rollup.cached)::DOUBLE AS cached,
        sum(call_rollup.output)::DOUBLE AS output,
        sum(call_rollup.output_context_x2) / 2 AS output_context
    FROM call_rollup
    GROUP BY ALL
    HAVING sum(call_rollup.calls) > 0
),

-- The part that an agent has of the calls that a meter tells of together.
part AS (
    SELECT
        estimate.*,
        coalesce(
            estimate.energy_j / nullif(sum(estimate.energy_j) OVER same_kind, 0),
            estimate.calls / sum(estimate.calls) OVER same_kind
        ) AS of_kind
    FROM (
        SELECT
            recorded.*,
            coalesce(
                recorded.uncached * model_factor.j_uncached
                + recorded.uncached_context * model_factor.j_uncached_context
                + recorded.cached * model_factor.j_cached
                + recorded.output * model_factor.j_output
                + recorded.output_context * model_factor.j_output_context,
                0
            ) AS energy_j
        FROM recorded
        LEFT JOIN model_factor
            ON
                recorded.provider IS NOT DISTINCT FROM model_factor.provider
                AND recorded.model IS NOT DISTINCT FROM model_factor.model
                AND model_factor.basis = 'estimated'
    ) AS estimate
    WINDOW same_kind AS (
        PARTITION BY
            estimate.task_id,
            estimate.hour,
            estimate.region,
            estimate.provider,
            estimate.model,
            estimate.role,
            estimate.hidden
    )
),

measured AS (
    SELECT
        measured_sum.task_id,
        measured_sum.hour,
        measured_sum.region,
        measured_sum.provider,
        measured_sum.model,
        part.agent,
        coalesce(part.agent_depth, 0) AS agent_depth,
        measured_sum.role,
        measured_sum.hidden,
        measured_sum.boundary,
        coalesce(part.of_kind, 1) AS of_kind,
        measured_sum.measured_j,
        measured_sum.uncached,
        measured_sum.uncached_context_x2,
        measured_sum.cached,
        measured_sum.output,
        measured_sum.output_context_x2
    FROM measured_sum
    LEFT JOIN part
        ON
            measured_sum.task_id = part.task_id
            AND measured_sum.hour = part.hour
            AND measured_sum.region IS NOT DISTINCT FROM part.region
            AND measured_sum.provider IS NOT DISTINCT FROM part.provider
            AND measured_sum.model IS NOT DISTINCT FROM part.model
            AND measured_sum.role = part.role
            AND measured_sum.hidden = part.hidden
),

moment AS (
    SELECT
        recorded.task_id,
        recorded.hour,
        recorded.region,
        recorded.provider,
        recorded.model,
        recorded.agent,
        recorded.agent_depth,
        recorded.role,
        recorded.hidden,
        'estimated' AS basis,
        recorded.calls,
        recorded.total_tokens,
        recorded.total_tokens_calls,
        CASE WHEN recorded.input_tokens_calls > 0 THEN recorded.uncached END AS uncached,
        CASE WHEN recorded.input_tokens_calls > 0 THEN recorded.uncached_context END AS uncached_context,
        CASE WHEN recorded.input_tokens_calls > 0 THEN recorded.cached END AS cached,
        CASE WHEN recorded.output_calls > 0 THEN recorded.output END AS output,
        CASE WHEN recorded.output_calls > 0 THEN recorded.output_context END AS output_context
    FROM recorded
    UNION ALL
    -- What was measured leaves the estimate.
    SELECT
        measured.task_id,
        measured.hour,
        measured.region,
        measured.provider,
        measured.model,
        measured.agent,
        measured.agent_depth,
        measured.role,
        measured.hidden,
        'estimated' AS basis,
        0 AS calls,
        0 AS total_tokens,
        0 AS total_tokens_calls,
        -measured.of_kind * measured.uncached AS uncached,
        -measured.of_kind * measured.uncached_context_x2 / 2 AS uncached_context,
        -measured.of_kind * measured.cached AS cached,
        -measured.of_kind * measured.output AS output,
        -measured.of_kind * measured.output_context_x2 / 2 AS output_context
    FROM measured
    WHERE measured.uncached > 0 OR measured.cached > 0 OR measured.output > 0
    UNION ALL
    SELECT
        measured.task_id,
        measured.hour,
        measured.region,
        measured.provider,
        measured.model,
        measured.agent,
        measured.agent_depth,
        measured.role,
        measured.hidden,
        measured.boundary AS basis,
        0 AS calls,
        0 AS total_tokens,
        0 AS total_tokens_calls,
        measured.of_kind * measured.measured_j AS uncached,
        0 AS uncached_context,
        0 AS cached,
        0 AS output,
        0 AS output_context
    FROM measured
),

added AS (
    SELECT
        moment.task_id,
        moment.hour::DATE AS day,
        moment.region,
        moment.provider,
        moment.model,
        moment.agent,
        moment.agent_depth,
        moment.role,
        moment.hidden,
        moment.basis,
        sum(moment.calls)::BIGINT AS calls,
        sum(moment.total_tokens)::BIGINT AS total_tokens,
        sum(moment.total_tokens_calls)::BIGINT AS total_tokens_calls,
        sum(moment.uncached) AS uncached,
        sum(moment.uncached_context) AS uncached_context,
        sum(moment.cached) AS cached,
        sum(moment.output) AS output,
        sum(moment.output_context) AS output_context
    FROM moment
    GROUP BY ALL
)

SELECT
    added.*,
    list_sum([
        added.uncached * model_factor.j_uncached,
        added.uncached_context * model_factor.j_uncached_context,
        added.cached * model_factor.j_cached,
        added.output * model_factor.j_output,
        added.output_context * model_factor.j_output_context
    ]) / 3600 AS energy_wh
FROM added
LEFT JOIN model_factor
    ON
        added.provider IS NOT DISTINCT FROM model_factor.provider
        AND added.model IS NOT DISTINCT FROM model_factor.model
        AND added.basis = model_factor.basis
