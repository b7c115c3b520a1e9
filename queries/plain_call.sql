-- One row per model call that counts whatever else was recorded, or will be.
-- Those are the calls that agenttrace saw at the wire and of which no later request can tell more: their
-- tokens were reported, or there is no id to ask with. The fold marks them as counted, and their place in the
-- task was known when they were recorded. What all others are worth is told by other spans (judged_call).
--   operation_id            attempts of one operation share it
--   trace_id                trace of the call, 32 hex digits
--   span_id                 span of the call, 16 hex digits
--   task_id                 task of the call; the trace id where no task was recorded
--   session_id              conversation of the call
--   agent                   name of the nearest enclosing agent
--   agent_depth             agents around the call: 0 none, 1 inside the root agent
--   role                    as of the first attempt: main, subagent, tool, summary, title, router, guard, ...
--   visible                 marked by the user: a person reads the output or not; NULL where nobody said
--   attempt                 1 for the first attempt of the operation; NULL where nothing says
--   operation               chat, text_completion, generate_content, embeddings, rerank, ...; fetch_response
--   provider                who answered, as gen_ai.provider.name
--   upstream_provider       who served the call, where the provider is a router and says so
--   request_model           model that was asked for
--   response_model          model that answered
--   response_id             the provider's id of the response
--   request_id              the provider's id of the request; NULL where nothing says
--   start_ns                start, nanoseconds since 1970-01-01 UTC
--   started_at              start, UTC
--   duration_ns             nanoseconds from the request to the end of the response
--   time_to_first_token_ns  nanoseconds from the request to the first chunk of a stream
--   status                  ok, error or unset
--   error_type              class or code of the error
--   http_status             HTTP status of the response
--   outcome                 complete, incomplete, abandoned or interrupted: how the response ended
--   usage                   who says the tokens: reported, partial, estimated or missing; or NULL
--   capture                 what saw the call: wire, frame, otlp or log
--   region                  cloud region, where the host tells
--   service_name            service.name of the process
--   input_tokens            tokens sent, cache reads and writes included; NULL where not reported
--   cache_read_tokens       part of input_tokens read from a prompt cache; NULL where not reported
--   cache_write_tokens      part of input_tokens written to a prompt cache; NULL where not reported
--   cache_write_1h_tokens   part of cache_write_tokens kept for an hour; NULL where not reported
--   input_audio_tokens      part of input_tokens that is audio; NULL where not reported
--   input_image_tokens      part of input_tokens that is images; NULL where not reported
--   output_tokens           tokens generated, reasoning included; NULL where not reported
--   reasoning_tokens        part of output_tokens that is reasoning; NULL where not reported
--   output_audio_tokens     part of output_tokens that is audio; NULL where not reported
--   output_image_tokens     part of output_tokens that is images; NULL where not reported
--   cost_usd                US dollars that the provider says it charged; NULL where it does not say
SELECT
    coalesce(span.operation_id, span.span_id) AS operation_id,
    span.trace_id,
    span.span_id,
    coalesce(span.task_id, span.trace_id) AS task_id,
    span.session_id,
    span.agent,
    coalesce(span.agent_depth, 0) AS agent_depth,
    -- Nobody reads an embedding, wherever it was asked for.
    coalesce(
        nullif(span.role, 'main'),
        CASE span.operation
            WHEN 'embeddings' THEN 'embedding'
            WHEN 'rerank' THEN 'rerank'
            WHEN 'moderation' THEN 'guard'
            ELSE 'main'
        END
    ) AS role,
    span.visible,
    span.attempt,
    span.operation,
    span.provider,
    span.upstream_provider,
    span.request_model,
    span.response_model,
    nullif(span.response_id, '') AS response_id,
    nullif(span.request_id, '') AS request_id,
    span.start_ns,
    span.started_at,
    span.duration_ns,
    span.time_to_first_token_ns,
    span.status,
    span.error_type,
    span.http_status,
    span.outcome,
    span.usage,
    span.capture,
    span.region,
    span.service_name,
    span.input_tokens,
    span.cache_read_tokens,
    span.cache_write_tokens,
    span.cache_write_1h_tokens,
    span.input_audio_tokens,
    span.input_image_tokens,
    span.output_tokens,
    span.reasoning_tokens,
    span.output_audio_tokens,
    span.output_image_tokens,
    span.cost_usd
FROM span
WHERE span.counted
