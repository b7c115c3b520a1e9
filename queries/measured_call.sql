-- One row per call that energy was measured for: what the meter saw beside what is estimated.
-- A call that windows cover only in part is measured in part; the estimate holds for the rest. Where windows
-- of several boundaries cover a call, the one that covers most of it counts, then the widest, because the
-- joules of one are among those of the other. What the record of a call says itself goes before windows; what
-- the record directly around it says, which is no call, is shared by its attempts, by time.
--   call_id              id of the call: its task and its span
--   task_id              task of the call
--   trace_id             trace of the call, 32 hex digits
--   span_id              span of the call, 16 hex digits
--   region               cloud region, where the host tells
--   provider             who answered
--   model                model that answered, else the one that was asked for
--   role                 role of the call
--   hidden               nobody reads the output as the answer of the task
--   started_at           start, UTC
--   boundary             what the measurement covers: accelerator, server or facility
--   mark                 measured, or modelled in part
--   covered              part of the call's time that windows cover, 0 to 1
--   measured_wh          Wh that the meter saw for the covered part
--   estimate_wh          Wh that are estimated for the covered part, central, at that boundary; NULL where
--                        the usage is not reported
--   ratio                measured_wh / estimate_wh
--   uncached             n_u of the covered part: input tokens not read from a cache
--   uncached_context_x2  its n_u * (2 * n_c + n_u), twice the moment
--   cached               its n_c: input tokens read from a cache
--   output               its n_o: output tokens, reasoning included
--   output_context_x2    its n_o * (2 * (n_c + n_u) + n_o), twice the moment
WITH
told_span AS (
    SELECT
        span.trace_id,
        span.span_id,
        max(span.measured_j) AS joules,
        coalesce(any_value(span.measured_boundary), 'accelerator') AS boundary
    FROM span
    WHERE span.kind = 'inference' AND span.measured_j IS NOT NULL
    GROUP BY span.trace_id, span.span_id
),

-- What surrounds calls directly, and is none: a framework, or a program that asked its server.
around AS (
    SELECT told_span.*
    FROM told_span
    ANTI JOIN counted_call
        ON
            told_span.trace_id = counted_call.trace_id
            AND told_span.span_id = counted_call.span_id
),

attempt AS (
    SELECT
        counted_call.task_id || '-' || counted_call.span_id AS call_id,
        counted_call.trace_id,
        counted_call.span_id,
        around.boundary,
        around.joules
        * coalesce(
            counted_call.duration_ns
            / nullif(
                sum(counted_call.duration_ns) OVER (PARTITION BY around.trace_id, around.span_id), 0
            ),
            1 / count(*) OVER (PARTITION BY around.trace_id, around.span_id)
        ) AS joules
    FROM counted_call
    INNER JOIN span
        ON
            counted_call.trace_id = span.trace_id
            AND counted_call.span_id = span.span_id
            AND counted_call.start_ns = span.start_ns
    INNER JOIN around
        ON
            span.trace_id = around.trace_id
            AND span.parent_span_id = around.span_id
),

told AS (
    SELECT
        counted_call.task_id || '-' || counted_call.span_id AS call_id,
        counted_call.trace_id,
        counted_call.span_id,
        coalesce(told_span.boundary, attempt.boundary) AS boundary,
        coalesce(told_span.joules, attempt.joules) AS joules
    FROM counted_call
    LEFT JOIN told_span
        ON
            counted_call.trace_id = told_span.trace_id
            AND counted_call.span_id = told_span.span_id
    LEFT JOIN attempt
        ON
            counted_call.trace_id = attempt.trace_id
            AND counted_call.span_id = attempt.span_id
    WHERE coalesce(told_span.joules, attempt.joules) IS NOT NULL
),

stretch AS (
    -- What a window adds to the time that those before it cover; devices are measured side by side.
    SELECT
        measured_share.*,
        greatest(
            measured_share.to_ns
            - greatest(
                measured_share.from_ns,
                coalesce(
                    max(measured_share.to_ns) OVER (
                        PARTITION BY measured_share.call_id, measured_share.boundary
                        ORDER BY
                            measured_share.from_ns, measured_share.to_ns, measured_share.file,
                            measured_share.number
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                    ),
                    measured_share.from_ns
                )
            ),
            0
        )
        * measured_share.call_share
        / (measured_share.to_ns - measured_share.from_ns) AS covers
    FROM measured_share
),

within AS (
    SELECT
        stretch.call_id,
        stretch.trace_id,
        stretch.span_id,
        stretch.boundary,
        least(sum(stretch.covers), 1) AS covered,
        sum(stretch.joules) AS joules,
        max(stretch.mark) AS mark,
        FALSE AS is_told
    FROM stretch
    GROUP BY stretch.call_id, stretch.trace_id, stretch.span_id, stretch.boundary
    UNION ALL
    SELECT
        told.call_id,
        told.trace_id,
        told.span_id,
        told.boundary,
        1 AS covered,
        told.joules,
        'measured' AS mark,
        TRUE AS is_told
    FROM told
),

best AS (
    SELECT within.*
    FROM within
    QUALIFY
        row_number() OVER (
            PARTITION BY within.call_id, within.trace_id
            ORDER BY
                within.is_told DESC,
                round(within.covered, 6) DESC,
                CASE within.boundary WHEN 'facility' THEN 1 WHEN 'server' THEN 2 ELSE 3 END
        ) = 1
),

counted AS (
    SELECT
        best.*,
        counted_call.task_id,
        counted_call.region,
        counted_call.provider,
        counted_call.model,
        counted_call.role,
        CASE
            WHEN task_answer.is_marked THEN NOT coalesce(counted_call.visible, FALSE)
            ELSE coalesce(counted_call.span_id <> task_answer.call.span_id, TRUE)
        END AS hidden,
        counted_call.started_at,
        counted_call.n_u,
        counted_call.n_c,
        counted_call.n_o
    FROM best
    INNER JOIN counted_call
        ON
            best.call_id = counted_call.task_id || '-' || counted_call.span_id
            AND best.trace_id = counted_call.trace_id
    LEFT JOIN task_answer ON counted_call.task_id = task_answer.task_id
),

moment AS (
    SELECT
        counted.*,
        counted.covered * counted.n_u AS uncached,
        counted.covered * counted.n_u * (2 * counted.n_c + counted.n_u) AS uncached_context_x2,
        counted.covered * counted.n_c AS cached,
        counted.covered * counted.n_o AS output,
        counted.covered
        * counted.n_o
        * (2 * coalesce(counted.n_c + counted.n_u, 0) + counted.n_o) AS output_context_x2
    FROM counted
),

estimated AS (
    SELECT
        moment.*,
        list_sum([
            moment.uncached * model_factor.j_uncached,
            moment.uncached_context_x2 / 2 * model_factor.j_uncached_context,
            moment.cached * model_factor.j_cached,
            moment.output * model_factor.j_output,
            moment.output_context_x2 / 2 * model_factor.j_output_context
        ])
        / brought.j_uncached / 3600 AS estimate_wh
    FROM moment
    LEFT JOIN model_factor
        ON
            moment.provider IS NOT DISTINCT FROM model_factor.provider
            AND moment.model IS NOT DISTINCT FROM model_factor.model
            AND model_factor.basis = 'estimated'
    -- Joules at the boundary of the estimates for each joule at that of the measurement.
    LEFT JOIN model_factor AS brought
        ON
            moment.provider IS NOT DISTINCT FROM brought.provider
            AND moment.model IS NOT DISTINCT FROM brought.model
            AND moment.boundary = brought.basis
)

SELECT
    estimated.call_id,
    estimated.task_id,
    estimated.trace_id,
    estimated.span_id,
    estimated.region,
    estimated.provider,
    estimated.model,
    estimated.role,
    estimated.hidden,
    estimated.started_at,
    estimated.boundary,
    estimated.mark,
    estimated.covered,
    estimated.joules / 3600 AS measured_wh,
    estimated.estimate_wh,
    estimated.joules / 3600 / nullif(estimated.estimate_wh, 0) AS ratio,
    estimated.uncached,
    estimated.uncached_context_x2,
    estimated.cached,
    estimated.output,
    estimated.output_context_x2
FROM estimated
