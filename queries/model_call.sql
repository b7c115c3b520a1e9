-- One row per model call: one request that a provider, or a local model, worked on.
-- What counts is decided by counted_call; here a call learns from its task whether a person reads its output.
--   call_id                id of the call: its task and its span
--   operation_id           attempts of one operation share it
--   trace_id               trace of the call, 32 hex digits
--   span_id                span of the call, 16 hex digits
--   task_id                task of the call; the trace id where no task was recorded
--   task_name              name of the task; NULL for a call outside of any task
--   session_id             conversation of the call
--   workload               agentic or user-facing
--   project                project of the task, else its service
--   agent                  name of the nearest enclosing agent
--   role                   main, subagent, tool, retry, summary, title, router, guard, embedding, ...
--   hidden                 nobody reads the output as the answer of the task
--   attempt                1 for the first attempt of the operation
--   operation              chat, text_completion, generate_content, embeddings, rerank, ...; fetch_response
--                          for a call that was recorded only when its result was fetched
--   provider               who answered, as gen_ai.provider.name
--   upstream_provider      who served the call, where the provider is a router and says so
--   model                  model that answered, else the one that was asked for
--   response_id            the provider's id of the response
--   request_id             the provider's id of the request; NULL where nothing says
--   started_at             start, UTC
--   duration_ms            milliseconds from the request to the end of the response
--   time_to_first_token_ms milliseconds from the request to the first chunk of a stream
--   status                 ok, error or unset
--   error_type             class or code of the error
--   http_status            HTTP status of the response
--   outcome                complete, incomplete or abandoned: how the response ended
--   usage                  who says the tokens: reported, partial, estimated or missing
--   capture                what saw the call: wire, frame, otlp or log
--   region                 cloud region, where the host tells
--   service_name           service.name of the process
--   total_tokens           input and output together; of a side that is not reported, the other
--   input_tokens           tokens sent, cache reads and writes included; NULL where not reported
--   input_uncached_tokens  part of input_tokens neither read from a prompt cache nor written to one
--   cache_read_tokens      part of input_tokens read from a prompt cache; NULL where not reported
--   cache_write_tokens     part of input_tokens written to a prompt cache; NULL where not reported
--   cache_write_1h_tokens  part of cache_write_tokens kept for an hour; NULL where not reported
--   input_audio_tokens     part of input_tokens that is audio; NULL where not reported
--   input_image_tokens     part of input_tokens that is images; NULL where not reported
--   output_tokens          tokens generated, reasoning included; NULL where not reported
--   reasoning_tokens       part of output_tokens that is reasoning; NULL where not reported
--   output_audio_tokens    part of output_tokens that is audio; NULL where not reported
--   output_image_tokens    part of output_tokens that is images; NULL where not reported
--   cost_usd               US dollars that the provider says it charged; NULL where it does not say
SELECT
    counted_call.task_id || '-' || counted_call.span_id AS call_id,
    counted_call.operation_id,
    counted_call.trace_id,
    counted_call.span_id,
    counted_call.task_id,
    task_fact.task_name,
    counted_call.session_id,
    coalesce(task_workload.workload, 'agentic') AS workload,
    task_workload.project,
    counted_call.agent,
    counted_call.role,
    CASE
        WHEN task_answer.is_marked THEN NOT coalesce(counted_call.visible, FALSE)
        ELSE coalesce(counted_call.span_id <> task_answer.call.span_id, TRUE)
    END AS hidden,
    counted_call.attempt,
    counted_call.operation,
    counted_call.provider,
    counted_call.upstream_provider,
    counted_call.model,
    counted_call.response_id,
    counted_call.request_id,
    counted_call.started_at,
    counted_call.duration_ns / 1e6 AS duration_ms,
    counted_call.time_to_first_token_ns / 1e6 AS time_to_first_token_ms,
    counted_call.status,
    counted_call.error_type,
    counted_call.http_status,
    counted_call.outcome,
    counted_call.usage,
    counted_call.capture,
    counted_call.region,
    counted_call.service_name,
    counted_call.total_tokens,
    counted_call.input_tokens,
    counted_call.input_tokens
    - coalesce(counted_call.cache_read_tokens, 0)
    - coalesce(counted_call.cache_write_tokens, 0) AS input_uncached_tokens,
    counted_call.cache_read_tokens,
    counted_call.cache_write_tokens,
    counted_call.cache_write_1h_tokens,
    counted_call.input_audio_tokens,
    counted_call.input_image_tokens,
    counted_call.output_tokens,
    counted_call.reasoning_tokens,
    counted_call.output_audio_tokens,
    counted_call.output_image_tokens,
    counted_call.cost_usd
FROM counted_call
LEFT JOIN task_fact ON counted_call.task_id = task_fact.task_id
LEFT JOIN task_workload ON counted_call.task_id = task_workload.task_id
LEFT JOIN task_answer ON counted_call.task_id = task_answer.task_id
