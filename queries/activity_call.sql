-- One row per model call and kind of token that it belongs to: the calls behind each row of activity.
-- The tokens and the central energy of the calls with a row_id add up to those of the row of activity that
-- has it, for the same selection of calls. It reads every call: ask it for a row and not for everything.
--   row_id     row of activity that the call is in
--   month      month in which the call started, UTC, YYYY-MM
--   workload   agentic or user-facing
--   provider   who answered
--   model      model that answered, else the one that was asked for
--   region     cloud region, where the host tells
--   kind       input_uncached, cache_read, output, or unreported
--   call_id    id of the call, for agenttrace explain
--   task_id    task of the call
--   task_name  name of the task; NULL for a call outside of any task
--   project    project of the task, else its service
--   started_at start, UTC
--   usage      who says the tokens: reported, partial, estimated or missing
--   tokens     tokens of this kind; NULL where they are not known
--   energy_wh  Wh at the boundary of factor_set, central, of this kind; NULL where nothing is known of it
WITH
call AS (
    SELECT
        call_energy.*,
        strftime(call_energy.started_at, '%Y-%m') AS month, -- noqa: RF04
        model_call.workload,
        model_call.task_name,
        model_call.project,
        model_call.usage,
        call_energy.uncached IS NULL OR call_energy.output IS NULL AS lacks_a_side,
        (
            call_energy.uncached * model_factor.j_uncached
            + call_energy.uncached_context * model_factor.j_uncached_context
        ) / 3600 AS uncached_wh,
        call_energy.cached * model_factor.j_cached / 3600 AS cached_wh,
        (
            call_energy.output * model_factor.j_output
            + call_energy.output_context * model_factor.j_output_context
        ) / 3600 AS output_wh
    FROM call_energy
    INNER JOIN model_call ON call_energy.call_id = model_call.call_id
    LEFT JOIN model_factor
        ON
            call_energy.provider IS NOT DISTINCT FROM model_factor.provider
            AND call_energy.model IS NOT DISTINCT FROM model_factor.model
            AND model_factor.basis = 'estimated'
),

of_kind AS (
    SELECT
        call.*,
        kind.kind,
        CASE kind.kind
            WHEN 'input_uncached' THEN call.input_tokens IS NOT NULL
            WHEN 'cache_read' THEN call.cache_read_tokens IS NOT NULL
            WHEN 'output' THEN call.output_tokens IS NOT NULL
            ELSE call.lacks_a_side OR (call.measured_wh IS NOT NULL AND coalesce(call.estimate_wh, 0) = 0)
        END AS is_in,
        CASE kind.kind
            WHEN 'input_uncached' THEN call.uncached
            WHEN 'cache_read' THEN call.cached
            WHEN 'output' THEN call.output
        END::BIGINT AS tokens,
        CASE kind.kind
            WHEN 'input_uncached' THEN call.uncached_wh
            WHEN 'cache_read' THEN call.cached_wh
            WHEN 'output' THEN call.output_wh
        END AS kind_wh
    FROM call
    CROSS JOIN (
        VALUES
        ('input_uncached'),
        ('cache_read'),
        ('output'),
        ('unreported')
    ) AS kind (kind)
)

SELECT
    'r' || left(
        sha256(
            concat_ws(
                chr(31),
                of_kind.month,
                of_kind.workload,
                coalesce(of_kind.provider, chr(30)),
                coalesce(of_kind.model, chr(30)),
                coalesce(of_kind.region, chr(30)),
                of_kind.kind
            )
        ),
        12
    ) AS row_id,
    of_kind.month,
    of_kind.workload,
    of_kind.provider,
    of_kind.model,
    of_kind.region,
    of_kind.kind,
    of_kind.call_id,
    of_kind.task_id,
    of_kind.task_name,
    of_kind.project,
    of_kind.started_at,
    of_kind.usage,
    of_kind.tokens,
    -- What a meter saw is shared out as the estimate is; what belongs to no kind is unreported.
    list_sum([
        of_kind.kind_wh * (1 - of_kind.covered),
        CASE
            WHEN of_kind.lacks_a_side OR coalesce(of_kind.estimate_wh, 0) = 0
                THEN CASE WHEN of_kind.kind = 'unreported' THEN of_kind.measured_wh END
            ELSE of_kind.measured_wh * of_kind.kind_wh / of_kind.estimate_wh
        END
    ]) AS energy_wh
FROM of_kind
WHERE of_kind.is_in
