-- One row per model call: one request that a provider, or a local model, worked on.
-- The one place that decides what counts. Structure (tasks, agents, tools, steps) never counts, whatever
-- usage it carries. Which calls a person reads is not told here but by model_call.
--   operation_id            attempts of one operation share it
--   trace_id                trace of the call, 32 hex digits
--   span_id                 span of the call, 16 hex digits
--   task_id                 task of the call; the trace id where no task was recorded
--   session_id              conversation of the call
--   agent                   name of the nearest enclosing agent
--   agent_depth             agents around the call: 0 none, 1 inside the root agent
--   role                    main, subagent, tool, summary, title, router, guard, embedding, ...
--   answer_role             main or subagent, where the output may be the answer of the task; else NULL
--   visible                 marked by the user: a person reads the output or not; NULL where nobody said
--   attempt                 1 for the first attempt of the operation
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
--   usage                   who says the tokens: reported, partial, estimated or missing
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
--   model                   model that answered, else the one that was asked for
--   total_tokens            input and output together; of a side that is not reported, the other
--   n_u                     input tokens that are not read from a cache; NULL where not reported
--   n_c                     input tokens that are read from a cache; NULL where the input is not reported
--   n_o                     output tokens; 0 where the operation has none by nature; NULL where not reported
--   judged                  whether it counts depends on other spans, so it may change when more arrive
SELECT
    call.operation_id,
    call.trace_id,
    call.span_id,
    call.task_id,
    call.session_id,
    call.agent,
    call.agent_depth,
    CASE WHEN call.attempt > 1 THEN 'retry' ELSE call.role END AS role,
    -- A call that stands in for one that failed answers in its place.
    CASE
        WHEN call.role IN ('main', 'subagent') THEN call.role
        WHEN call.role NOT IN ('fallback', 'retry') THEN NULL
        WHEN call.agent_depth > 1 THEN 'subagent'
        ELSE 'main'
    END AS answer_role,
    call.visible,
    coalesce(call.attempt, 1) AS attempt,
    call.operation,
    call.provider,
    call.upstream_provider,
    call.request_model,
    call.response_model,
    call.response_id,
    call.request_id,
    call.start_ns,
    call.started_at,
    call.duration_ns,
    call.time_to_first_token_ns,
    call.status,
    call.error_type,
    call.http_status,
    call.outcome,
    coalesce(
        call.usage,
        CASE
            WHEN call.input_tokens IS NULL AND call.output_tokens IS NULL THEN 'missing'
            WHEN call.input_tokens IS NULL THEN 'partial'
            WHEN call.output_tokens IS NOT NULL THEN 'reported'
            WHEN call.operation IN ('embeddings', 'rerank') THEN 'reported'
            ELSE 'partial'
        END
    ) AS usage,
    call.capture,
    call.region,
    call.service_name,
    call.input_tokens,
    call.cache_read_tokens,
    call.cache_write_tokens,
    call.cache_write_1h_tokens,
    call.input_audio_tokens,
    call.input_image_tokens,
    call.output_tokens,
    call.reasoning_tokens,
    call.output_audio_tokens,
    call.output_image_tokens,
    call.cost_usd,
    coalesce(call.response_model, call.request_model) AS model,
    coalesce(call.input_tokens + call.output_tokens, call.input_tokens, call.output_tokens) AS total_tokens,
    call.input_tokens - coalesce(call.cache_read_tokens, 0) AS n_u,
    CASE WHEN call.input_tokens IS NOT NULL THEN coalesce(call.cache_read_tokens, 0) END AS n_c,
    CASE
        WHEN call.operation IN ('embeddings', 'rerank') THEN coalesce(call.output_tokens, 0)
        ELSE call.output_tokens
    END AS n_o,
    call.judged
FROM (
    SELECT
        plain_call.*,
        FALSE AS judged
    FROM plain_call
    UNION ALL
    SELECT
        judged_call.*,
        TRUE AS judged
    FROM judged_call
) AS call
