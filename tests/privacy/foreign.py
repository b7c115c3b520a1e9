"""Spans of other instrumentations, which hold what was said wherever they can."""

import contextlib
import json
from typing import Any, Final

from opentelemetry.trace import Status, StatusCode, Tracer

from tests.privacy.canary import Say

# Attributes that hold what was said, by the conventions, OpenLLMetry, OpenInference and others.
_CONTENT: Final = (
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.0.content",
    "gen_ai.completion.0.tool_calls.0.arguments",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.description",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.agent.description",
    "gen_ai.request.stop_sequences",
    "gen_ai.usage.note",
    "llm.usage.note",
    "llm.token_count.note",
    "anthropic.usage.note",
    "gen_ai.user.message",
    "input.value",
    "output.value",
    "exception.message",
    "exception.stacktrace",
    "llm.input_messages.0.message.content",
    "llm.output_messages.0.message.content",
    "llm.prompts",
    "llm.prompt_template.variables",
    "llm.invocation_parameters",
    "llm.function_call",
    "llm.user",
    "llm.request.functions.0.description",
    "tool.description",
    "tool.parameters",
    "tool_call.function.arguments",
    "embedding.embeddings.0.embedding.text",
    "retrieval.documents.0.document.content",
    "reranker.query",
    "reranker.input_documents.0.document.content",
    "metadata",
    "tag.tags",
    "user.id",
    "enduser.id",
    "user.hash",
    "agenttrace.user.hash",
    "agenttrace.task.outcome.reference",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "traceloop.association.properties.note",
    "traceloop.prompt.template",
    "http.request.header.authorization",
    "http.request.body",
    "url.full",
    "url.query",
    "db.query.text",
    "process.command_args",
    "gcp.vertex.agent.llm_request",
    "gcp.vertex.agent.tool_response",
    "ai.prompt.messages",
    "ai.response.text",
    "langsmith.metadata.note",
    "logfire.msg",
    "mlflow.spanInputs",
)
_KINDS: Final[tuple[dict[str, Any], ...]] = (
    {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 3},
    {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer"},
    {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"},
    {"openinference.span.kind": "LLM", "llm.model_name": "gpt-5"},
    {"openinference.span.kind": "CHAIN"},
    {"traceloop.span.kind": "workflow", "traceloop.entity.name": "report"},
    {"llm.request.type": "chat"},
    {},
)


def spans(say: Say, tracer: Tracer) -> object:
    """Make a span of each kind, with content in its attributes, events, links, status and name."""
    content = {key: say(key) for key in _CONTENT}
    listed: dict[str, Any] = {"gen_ai.list": [say("list")], "gen_ai.json": json.dumps(content)}
    for kind in _KINDS:
        with (
            contextlib.suppress(ValueError),
            tracer.start_as_current_span(
                say("span name"), attributes={**kind, **content, **listed}
            ) as span,
        ):
            span.add_event(say("event name"), {"gen_ai.event.content": say("event")})
            span.add_event("gen_ai.content.prompt", {"gen_ai.prompt": say("event of the prompt")})
            span.add_link(span.get_span_context(), {"note": say("link")})
            raise ValueError(say("exception"))
        late = tracer.start_span("late", attributes=kind)
        late.set_attributes(content)
        late.set_status(Status(StatusCode.ERROR, say("status description")))
        late.end()
    return (
        content,
        [say(place) for place in ("list", "span name", "event name", "event")],
        [
            say(place)
            for place in ("event of the prompt", "link", "exception", "status description")
        ],
    )
