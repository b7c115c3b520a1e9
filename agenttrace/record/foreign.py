"""Keep what other instrumentations see of model calls and agents, without what was said.

Their spans come through a span processor in their own spelling; the fold knows the spellings. Only
the attributes named here are read, and none of them holds a prompt or a completion.
"""

from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext, StatusCode

from agenttrace import semconv
from agenttrace.record import setup, trouble
from agenttrace.record.invocation import Invocation, stands_in, stood_in
from agenttrace.record.recorder import SCOPE, AttributeValue, Recorder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agenttrace.model import Kind

_KIND_KEYS: Final = ("traceloop.span.kind", "openinference.span.kind", semconv.OPERATION_NAME)
_KINDS: "Final[dict[str, Kind]]" = {
    semconv.INVOKE_AGENT: "agent",
    "agent": "agent",
    semconv.EXECUTE_TOOL: "tool",
    "tool": "tool",
}
_NAME_KEYS: "Final[dict[Kind, tuple[str, ...]]]" = {
    "agent": (semconv.AGENT_NAME, "agent.name", "traceloop.entity.name"),
    "tool": (semconv.TOOL_NAME, "tool.name", "traceloop.entity.name"),
}
_PREFIXES: Final = (
    "gen_ai.usage.",
    "llm.token_count.",
    "llm.usage.",
    "anthropic.usage.",
)
_KEYS: Final = frozenset(
    {
        "task.id",
        "session.id",
        "agent.name",
        "cache_read_tokens",
        "input_cached_tokens",
        "cloud.region",
        "embedding.model_name",
        "error.type",
        "gen_ai.agent.id",
        "gen_ai.agent.name",
        "gen_ai.conversation.id",
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.request.stream",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.system",
        "gen_ai.tool.name",
        "gen_ai.workflow.name",
        "http.request.resend_count",
        "http.response.status_code",
        "llm.model_name",
        "llm.provider",
        "llm.request.type",
        "llm.system",
        "openinference.span.kind",
        "reranker.model_name",
        "server.address",
        "tool.name",
        "traceloop.entity.name",
        "traceloop.span.kind",
        "traceloop.workflow.name",
    }
)


class ForeignSpans(SpanProcessor):
    """Keep the spans of other instrumentations that belong to a task or speak of a model.

    Where one of them says at its start that it is an agent or a tool, it is one for agenttrace as
    well: the calls inside have its name and role, and outside of any task it begins one.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder: Recorder | None = recorder

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember the invocation that *span* starts in, or that it stands for."""
        with trouble.Guard("another instrumentation's span"):
            if self._recorder is None or _is_ours(span):
                return
            around = setup.current(parent_context)
            span_context = span.get_span_context()
            frame = _frame(span)
            if frame is not None:
                around = Invocation.elsewhere(span_context, *frame, parent=around)
            if around is not None:
                stands_in(span_context.span_id, around)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep *span* if it belongs to a task or says something of a model or an agent."""
        with trouble.Guard("another instrumentation's span"):
            recorder = self._recorder
            if recorder is None or _is_ours(span):
                return
            span_context = span.get_span_context()
            if span_context is None:
                return
            attributes = _readable(span.attributes or {})
            around = stood_in(span_context.span_id)
            if around is None and not attributes:
                return
            if around is not None:
                attributes = {**around.place(), **attributes}
            _keep(recorder, span_context, span, attributes)

    def shutdown(self) -> None:
        """Keep nothing more; a provider cannot let go of a processor."""
        self._recorder = None


def _frame(span: ReadableSpan) -> "tuple[Kind, str] | None":
    """Return the kind and the name of the agent or the tool that *span* is, if it says so."""
    attributes = span.attributes or {}
    # Some set the operation only after the start, but have it in the name, as the convention has.
    operation, _, named = span.name.partition(" ")
    for key in _KIND_KEYS:
        operation = str(attributes.get(key, operation))
    kind = _KINDS.get(operation.lower())
    if kind is None:
        return None
    said = (attributes.get(key) for key in _NAME_KEYS[kind])
    return kind, str(next(filter(None, said), None) or named or kind)


def _is_ours(span: ReadableSpan) -> bool:
    scope = span.instrumentation_scope
    return scope is not None and scope.name == SCOPE


def _readable(attributes: "Mapping[str, object]") -> dict[str, AttributeValue]:
    return {
        key: value
        for key, value in attributes.items()
        if (key in _KEYS or key.startswith(_PREFIXES)) and isinstance(value, str | int | float)
    }


def _keep(
    recorder: Recorder,
    span_context: SpanContext,
    span: ReadableSpan,
    attributes: dict[str, AttributeValue],
) -> None:
    if span.start_time is None or span.end_time is None:
        return
    scope = span.instrumentation_scope
    recorder.keep(
        context=span_context,
        parent_span_id=span.parent.span_id if span.parent else 0,
        name=_name(attributes),
        start_ns=span.start_time,
        end_ns=span.end_time,
        status="error" if span.status.status_code is StatusCode.ERROR else "unset",
        attributes=attributes,
        scope=scope.name if scope else "",
    )


def _name(attributes: dict[str, AttributeValue]) -> str:
    """A span of unknown making may carry anything in its name, so only its operation is kept."""
    for key in (semconv.OPERATION_NAME, "openinference.span.kind", "traceloop.span.kind"):
        if key in attributes:
            return str(attributes[key])
    return "span"
