"""What other instrumentations call the same thing: names of attributes, and of their values.

Data only: the fold turns it into one SELECT (``agenttrace.store.columns``). Whoever comes first in
a list wins, and our own spelling is first.

Sources: <https://github.com/open-telemetry/semantic-conventions-genai>,
<https://github.com/Arize-ai/openinference/tree/main/spec>,
<https://github.com/traceloop/openllmetry/tree/main/packages/opentelemetry-semantic-conventions-ai>.
"""

from typing import Final

from agenttrace import semconv

_OPENINFERENCE_KIND: Final = "openinference.span.kind"
_TRACELOOP_KIND: Final = "traceloop.span.kind"
_REQUEST_TYPE: Final = "llm.request.type"

SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    "service_name": (semconv.SERVICE_NAME,),
    "host": (semconv.HOST_NAME,),
    "pid": (semconv.PROCESS_PID,),
    "error_type": (semconv.ERROR_TYPE,),
    "task_id": (semconv.TASK_ID,),
    "task_name": (semconv.TASK_NAME,),
    "session_id": (semconv.CONVERSATION_ID, "session.id"),
    "workload": (semconv.WORKLOAD,),
    "headless": (semconv.HEADLESS,),
    "project": (semconv.PROJECT,),
    "branch": (semconv.BRANCH,),
    "user_turns": (semconv.USER_TURNS,),
    "user_hash": (semconv.USER_HASH,),
    "task_outcome": (semconv.TASK_OUTCOME,),
    "outcome_reference": (semconv.OUTCOME_REFERENCE,),
    "agent": (semconv.AGENT_NAME, "agent.name"),
    "agent_span_id": (semconv.AGENT_SPAN_ID,),
    "agent_depth": (semconv.AGENT_DEPTH,),
    "role": (semconv.ROLE,),
    "visible": (semconv.VISIBLE,),
    "operation_id": (semconv.OPERATION_ID,),
    "attempt": (semconv.ATTEMPT,),
    "wire_calls": ("agenttrace.wire_calls",),
    "resend_count": ("http.request.resend_count",),
    "capture": (semconv.CAPTURE,),
    "usage": (semconv.USAGE,),
    "outcome": (semconv.OUTCOME,),
    "provider": (semconv.PROVIDER_NAME, "gen_ai.system", "llm.provider", "llm.system"),
    "request_model": (semconv.REQUEST_MODEL, "llm.model_name"),
    "response_model": (semconv.RESPONSE_MODEL,),
    "response_id": (semconv.RESPONSE_ID,),
    "request_id": (semconv.REQUEST_ID,),
    "server_address": (semconv.SERVER_ADDRESS,),
    "region": (semconv.CLOUD_REGION,),
    "http_status": (semconv.HTTP_STATUS,),
    "time_to_first_token_s": (semconv.TIME_TO_FIRST_CHUNK,),
    "input_tokens": (
        semconv.INPUT_TOKENS,
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "llm.usage.prompt_tokens",
    ),
    "output_tokens": (
        semconv.OUTPUT_TOKENS,
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
    ),
    "total_tokens": (
        "gen_ai.usage.total_tokens",
        "llm.token_count.total",
        "llm.usage.total_tokens",
    ),
    "cache_read_tokens": (
        semconv.CACHE_READ_TOKENS,
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "llm.token_count.prompt_details.cache_read",
        "cache_read_tokens",
        "input_cached_tokens",
    ),
    "cache_write_tokens": (
        semconv.CACHE_WRITE_TOKENS,
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",  # Strands
        "gen_ai.usage.details.cache_write_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    "cache_write_1h_tokens": (
        semconv.CACHE_WRITE_1H_TOKENS,
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
    ),
    "reasoning_tokens": (
        semconv.REASONING_TOKENS,
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
    "input_audio_tokens": (
        semconv.INPUT_AUDIO_TOKENS,
        "llm.token_count.prompt_details.audio",
    ),
    "input_image_tokens": (semconv.INPUT_IMAGE_TOKENS,),
    "output_audio_tokens": (
        semconv.OUTPUT_AUDIO_TOKENS,
        "llm.token_count.completion_details.audio",
    ),
    "output_image_tokens": (semconv.OUTPUT_IMAGE_TOKENS,),
    "cost_usd": (semconv.COST_USD,),
    "measured_j": (semconv.MEASURED_J,),
    "measured_boundary": (semconv.MEASURED_BOUNDARY,),
    "upstream_provider": (semconv.UPSTREAM_PROVIDER,),
}
"""What an attribute says -> the keys that say it, the most trusted first."""

KINDS: Final[dict[str, dict[str, str]]] = {
    semconv.KIND: {kind: kind for kind in ("task", "agent", "tool", "step", "inference", "fact")},
    semconv.OPERATION_NAME: {
        semconv.CHAT: "inference",
        semconv.TEXT_COMPLETION: "inference",
        semconv.GENERATE_CONTENT: "inference",
        semconv.EMBEDDINGS: "inference",
        semconv.RERANK: "inference",
        semconv.INVOKE_AGENT: "agent",
        semconv.INVOKE_WORKFLOW: "step",  # a workflow inside somebody's task, not a task of its own
        "invoke_graph": "step",
        "invoke_node": "step",
        "invoke_swarm": "step",
        semconv.EXECUTE_TOOL: "tool",
        "plan": "step",
        "retrieval": "step",
    },
    _OPENINFERENCE_KIND: {
        "llm": "inference",
        "embedding": "inference",
        "reranker": "inference",
        "agent": "agent",
        "tool": "tool",
        "chain": "step",
        "retriever": "step",
        "guardrail": "step",
        "evaluator": "step",
    },
    _TRACELOOP_KIND: {"agent": "agent", "tool": "tool", "workflow": "step", "task": "step"},
    _REQUEST_TYPE: {
        "chat": "inference",
        "completion": "inference",
        "embedding": "inference",
        "rerank": "inference",
    },
}
"""Attribute -> its value, in lower case -> the kind of the span. The first that says one wins."""

OPERATIONS: Final[dict[str, dict[str, str]]] = {
    _OPENINFERENCE_KIND: {
        "llm": semconv.CHAT,
        "embedding": semconv.EMBEDDINGS,
        "reranker": "rerank",
        "agent": semconv.INVOKE_AGENT,
        "tool": semconv.EXECUTE_TOOL,
        "retriever": "retrieval",
    },
    _TRACELOOP_KIND: {
        "agent": semconv.INVOKE_AGENT,
        "tool": semconv.EXECUTE_TOOL,
        "workflow": semconv.INVOKE_WORKFLOW,
    },
    _REQUEST_TYPE: {
        "chat": semconv.CHAT,
        "completion": semconv.TEXT_COMPLETION,
        "embedding": semconv.EMBEDDINGS,
        "rerank": "rerank",
    },
}
"""The same, for the operation of a span that has no ``gen_ai.operation.name``."""

INPUT_WITHOUT_CACHE: Final[tuple[str, ...]] = (
    # Bedrock's Converse API counts inputTokens without the cache, and OpenLLMetry passes it on.
    "opentelemetry.instrumentation.bedrock",
)
"""Scopes whose input never includes cached tokens, although their attribute claims it."""
