-- One row per window of measured energy and call that ran meanwhile: what the call gets of its joules.
-- The joules of a window are shared out in proportion to what the calls are estimated to take of it: their
-- tokens, each kind with the central coefficient of the model, times the part of the call that lies inside.
-- A call whose tokens are not known gets its share by time alone. The shares of a window add up to 1,
-- whatever ran; a window without a call has no row. A window belongs to the calls that were served on its
-- host and are what else it says; where it says nothing else, to those that were served nearby.
--   file          file of the window, as in measured_window
--   number        number of the window in it
--   boundary      what the joules cover: accelerator, server or facility
--   mark          measured, or modelled in part
--   call_id       id of the call: its task and its span
--   trace_id      trace of the call, 32 hex digits
--   span_id       span of the call, 16 hex digits
--   from_ns       start of what they share, nanoseconds since 1970-01-01 UTC
--   to_ns         end of what they share
--   call_share    part of the call's time that they share, 0 to 1
--   window_share  part of the window's joules, 0 to 1
--   joules        that part
WITH place AS (
    SELECT
        span.span_id,
        span.start_ns,
        lower(any_value(span.host)) AS caller_host,
        lower(any_value(span.server_address)) AS server_host
    FROM span
    WHERE span.kind = 'inference'
    GROUP BY span.span_id, span.start_ns
),

timed AS (
    SELECT
        counted_call.task_id || '-' || counted_call.span_id AS call_id,
        counted_call.trace_id,
        counted_call.span_id,
        counted_call.provider,
        lower(counted_call.request_model) AS request_model,
        lower(counted_call.response_model) AS response_model,
        counted_call.service_name,
        counted_call.start_ns,
        -- What began and ended within one tick of the clock still ran.
        counted_call.start_ns + greatest(counted_call.duration_ns, 1) AS end_ns,
        place.caller_host,
        place.server_host,
        place.server_host IN ('localhost', '::1', '0.0.0.0') OR place.server_host LIKE '127.%' AS is_here,
        regexp_matches(
            place.server_host,
            '^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd][0-9a-f]*:|fe80:|[^.:]+$)'
            || '|\.(local|localhost|internal|lan|home\.arpa)$'
        ) AS is_near,
        CASE
            WHEN counted_call.n_u IS NOT NULL AND counted_call.n_o IS NOT NULL
                THEN
                    counted_call.n_u * model_factor.j_uncached
                    + counted_call.n_u
                    * (counted_call.n_c + counted_call.n_u / 2)
                    * model_factor.j_uncached_context
                    + counted_call.n_c * model_factor.j_cached
                    + counted_call.n_o * model_factor.j_output
                    + counted_call.n_o
                    * (counted_call.n_c + counted_call.n_u + counted_call.n_o / 2)
                    * model_factor.j_output_context
        END AS estimate_j
    FROM counted_call
    LEFT JOIN place
        ON
            counted_call.span_id = place.span_id
            AND counted_call.start_ns = place.start_ns
    LEFT JOIN model_factor
        ON
            counted_call.provider IS NOT DISTINCT FROM model_factor.provider
            AND coalesce(counted_call.response_model, counted_call.request_model)
            IS NOT DISTINCT FROM model_factor.model
            AND model_factor.basis = 'estimated'
    WHERE counted_call.duration_ns IS NOT NULL
),

description AS (
    SELECT DISTINCT
        measured_window.host,
        measured_window.provider,
        measured_window.model,
        measured_window.service_name
    FROM measured_window
),

meant AS (
    -- The calls that windows of a description are shared by; there are few descriptions.
    SELECT
        timed.call_id,
        timed.trace_id,
        timed.span_id,
        timed.start_ns,
        timed.end_ns,
        timed.estimate_j,
        description.host,
        description.provider,
        description.model,
        description.service_name
    FROM timed
    INNER JOIN description
        ON
            (description.provider IS NULL OR timed.provider = description.provider)
            AND (
                description.model IS NULL
                OR lower(description.model) IN (timed.response_model, timed.request_model)
            )
            AND (description.service_name IS NULL OR timed.service_name = description.service_name)
            AND CASE
                -- Nobody says where it was served: perhaps in the process itself.
                WHEN timed.server_host IS NULL
                    THEN
                        (
                            coalesce(description.provider, description.model, description.service_name)
                            IS NOT NULL
                            OR timed.provider IN ('ollama', 'llama_cpp', 'vllm', 'sglang', 'lm_studio')
                        )
                        AND coalesce(timed.caller_host = description.host, TRUE)
                WHEN timed.is_here
                    THEN coalesce(timed.caller_host = description.host, TRUE)
                WHEN description.host IS NOT NULL
                    THEN
                        description.host = timed.server_host
                        -- The same name with its domain and without.
                        OR starts_with(timed.server_host, description.host || '.')
                        OR starts_with(description.host, timed.server_host || '.')
                ELSE
                    timed.is_near
                    OR coalesce(description.provider, description.model, description.service_name)
                    IS NOT NULL
            END
),

window_slot AS (
    SELECT
        measured_window.*,
        unnest(
            range(measured_window.start_ns // 10000000000, (measured_window.end_ns - 1) // 10000000000 + 1)
        ) AS slot
    FROM measured_window
),

period AS (
    SELECT
        min(measured_window.start_ns) AS start_ns,
        max(measured_window.end_ns) AS end_ns
    FROM measured_window
),

call_slot AS (
    SELECT
        meant.*,
        unnest(
            range(
                greatest(meant.start_ns, period.start_ns) // 10000000000,
                (least(meant.end_ns, period.end_ns) - 1) // 10000000000 + 1
            )
        ) AS slot
    FROM meant
    CROSS JOIN period
),

part AS (
    SELECT
        window_slot.file,
        window_slot.number,
        window_slot.boundary,
        window_slot.mark,
        window_slot.joules,
        call_slot.call_id,
        call_slot.trace_id,
        call_slot.span_id,
        greatest(window_slot.start_ns, call_slot.start_ns) AS from_ns,
        least(window_slot.end_ns, call_slot.end_ns) AS to_ns,
        (least(window_slot.end_ns, call_slot.end_ns) - greatest(window_slot.start_ns, call_slot.start_ns))
        / (call_slot.end_ns - call_slot.start_ns) AS call_share,
        call_slot.estimate_j
    FROM window_slot
    INNER JOIN call_slot
        ON
            window_slot.slot = call_slot.slot
            AND window_slot.host IS NOT DISTINCT FROM call_slot.host
            AND window_slot.provider IS NOT DISTINCT FROM call_slot.provider
            AND window_slot.model IS NOT DISTINCT FROM call_slot.model
            AND window_slot.service_name IS NOT DISTINCT FROM call_slot.service_name
            AND window_slot.start_ns < call_slot.end_ns
            AND window_slot.end_ns > call_slot.start_ns
            -- Of the slots that they share, the first.
            AND window_slot.slot = greatest(window_slot.start_ns, call_slot.start_ns) // 10000000000
),

whole AS (
    SELECT
        part.file,
        part.number,
        sum(part.to_ns - part.from_ns)::BIGINT AS all_ns,
        (sum(part.to_ns - part.from_ns) FILTER (WHERE part.estimate_j IS NOT NULL))::BIGINT AS known_ns,
        sum(part.estimate_j * part.call_share) AS known_j
    FROM part
    GROUP BY part.file, part.number
),

shared AS (
    SELECT
        part.*,
        CASE
            WHEN part.estimate_j IS NOT NULL AND whole.known_j > 0
                THEN part.estimate_j * part.call_share / whole.known_j * whole.known_ns / whole.all_ns
            ELSE (part.to_ns - part.from_ns) / whole.all_ns
        END AS window_share
    FROM part
    INNER JOIN whole
        ON
            part.file = whole.file
            AND part.number = whole.number
)

SELECT
    shared.file,
    shared.number,
    shared.boundary,
    shared.mark,
    shared.call_id,
    shared.trace_id,
    shared.span_id,
    shared.from_ns,
    shared.to_ns,
    shared.call_share,
    shared.window_share,
    shared.window_share * shared.joules AS joules
FROM shared
