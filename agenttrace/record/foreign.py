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
from agenttrace.record.recorder import SCOPE, AttributeValue, Recorder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agenttrace.record.invocation import Invocation

_OPEN_SPANS: Final = 10_000  # spans that never end are forgotten beyond this
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
    """Keep the spans of other instrumentations that belong to a task or speak of a model."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder: Recorder | None = recorder
        # By span id: a span ends as another object than the one that started.
        self._around: dict[int, Invocation] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember the invocation that *span* starts in."""
        with trouble.Guard("another instrumentation's span"):
            if _is_ours(span):
                return
            around = setup.current(parent_context)
            if around is None:
                return
            if len(self._around) >= _OPEN_SPANS:
                self._around.pop(next(iter(self._around)), None)
            self._around[span.get_span_context().span_id] = around

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
            around = self._around.pop(span_context.span_id, None)
            if around is None and not attributes:
                return
            if around is not None:
                attributes = {**around.place(), **attributes}
            _keep(recorder, span_context, span, attributes)

    def shutdown(self) -> None:
        """Keep nothing more; a provider cannot let go of a processor."""
        self._recorder = None


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
