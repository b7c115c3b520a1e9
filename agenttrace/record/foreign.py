"""Keep what other instrumentations see of model calls and agents, without what was said.

Their spans come through a span processor in their own spelling; the fold knows the spellings. Only
the attributes of a fixed list are read, and none of them holds a prompt or a completion.
"""

from typing import Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext, StatusCode, get_current_span

from agenttrace import semconv
from agenttrace.model import Kind, Role
from agenttrace.record import carrier, readable, setup, trouble
from agenttrace.record.invocation import Invocation, stands_in, stood_in
from agenttrace.record.readable import AttributeValue
from agenttrace.record.recorder import SCOPE, Recorder

_KIND_KEYS: Final = ("traceloop.span.kind", "openinference.span.kind", semconv.OPERATION_NAME)
_KINDS: Final[dict[str, Kind]] = {
    semconv.INVOKE_AGENT: "agent",
    "agent": "agent",
    semconv.EXECUTE_TOOL: "tool",
    "tool": "tool",
    semconv.INVOKE_WORKFLOW: "step",
    "invoke_graph": "step",
    "invoke_node": "step",
    "invoke_swarm": "step",
}
_NAME_KEYS: Final[dict[Kind, tuple[str, ...]]] = {
    "agent": (semconv.AGENT_NAME, "agent.name", "traceloop.entity.name"),
    "tool": (semconv.TOOL_NAME, "tool.name", "traceloop.entity.name"),
    "step": ("gen_ai.workflow.name",),
}
_SESSION_KEYS: Final = (semconv.CONVERSATION_ID, "session.id")


class _Frame(NamedTuple):
    """The agent, the tool or the step of a workflow that a span says it is."""

    kind: Kind
    name: str
    role: Role | None = None


_ADK: Final = "gcp.vertex.agent"
# Spans of Google's ADK that say by their name alone what they are.
_OWN: Final = {
    (_ADK, "invocation"): _Frame("step", ""),  # a run, which it does not name
    (_ADK, "compact_events"): _Frame("step", "compaction", "compaction"),
    (_ADK, "execute_tool (merged)"): _Frame("step", "merge"),  # the results, and no tool
}


class ForeignSpans(SpanProcessor):
    """Keep the spans of other instrumentations that belong to a task or speak of a model.

    Where one of them says at its start that it is an agent, a tool or a workflow, it is one for
    agenttrace as well: the calls inside have its name and role, and outside of any task it begins
    one.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder: Recorder | None = recorder

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember the invocation that *span* starts in, or that it stands for."""
        with trouble.Guard("another instrumentation's span"):
            if self._recorder is None or _is_ours(span):
                return
            around = setup.current(parent_context) or _remote(parent_context)
            if around is not None:
                _take_session(around, get_current_span(parent_context))
            frame = _frame(span)
            if frame is not None:
                around = _begun(span, frame, around)
            if around is not None:
                stands_in(span.get_span_context().span_id, around)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep *span* if it belongs to a task or says something of a model or an agent."""
        with trouble.Guard("another instrumentation's span"):
            recorder = self._recorder
            if recorder is None or _is_ours(span):
                return
            span_context = span.get_span_context()
            if span_context is None:
                return
            attributes = readable.of(span.attributes or {}, readable.THEIRS)
            around = stood_in(span_context.span_id)
            if around is None and not attributes:
                return
            if _says_for_itself(around, span_context):
                attributes = {**setup.process_says(), **attributes}
            name = _name(attributes)
            if around is not None:
                _take_session(around, span)
                is_frame = around.span_context == span_context
                if is_frame and not around.name:
                    _give_name(around, "run")
                place = around.place()
                # What is around knows best: many make up an id for each of their runs.
                session = {key: place[key] for key in _SESSION_KEYS if key in place}
                attributes = {**place, **attributes, **session}
                if is_frame:
                    attributes[semconv.KIND], name = around.kind, around.name
            _keep(recorder, span_context, span, name, attributes)

    def shutdown(self) -> None:
        """Keep nothing more; a provider cannot let go of a processor."""
        self._recorder = None


def _says_for_itself(around: Invocation | None, span_context: SpanContext) -> bool:
    """Whether nothing around a span says what its task is: it begins one, or is in none."""
    if around is None or around.task_id is None:
        return True
    outer = around.parent
    begins = outer is None or outer.task_id != around.task_id
    return begins and around.span_context == span_context


def _frame(span: ReadableSpan) -> _Frame | None:
    attributes = span.attributes or {}
    first, _, rest = span.name.partition(" ")
    for called in (span.name, first):
        if (own := _OWN.get((_scope(span), called))) is not None:
            return own
    # Some set the operation only after the start, but have it in the name, as the convention has.
    # A span whose name begins with a word like "tool" is anybody's.
    operation, named = (first, rest) if first.startswith(("invoke_", "execute_")) else ("", "")
    for key in _KIND_KEYS:
        operation = str(attributes.get(key, operation))
    kind = _KINDS.get(operation.lower())
    if kind is None:
        return None
    said = (attributes.get(key) for key in _NAME_KEYS[kind])
    fallback = named or operation.lower().removeprefix("invoke_").removeprefix("execute_")
    return _Frame(kind, str(next(filter(None, said), None) or fallback))


def _begun(span: ReadableSpan, frame: _Frame, around: Invocation | None) -> Invocation:
    if around is not None and not around.name:
        _give_name(around, frame.name)
    span_context = span.get_span_context()
    assert span_context is not None
    begun = Invocation.elsewhere(span_context, frame.kind, frame.name, parent=around)
    begun.role = frame.role or begun.role
    _take_session(begun, span)
    return begun


def _give_name(nameless: Invocation, name: str) -> None:
    """Give a run that has no name that of the first thing in it, and so to a task that it began."""
    nameless.name = name
    nameless.task_name = nameless.task_name or name


def _take_session(frame: Invocation, span: object) -> None:
    """Let the calls inside *frame* belong to the conversation that its span names.

    Some name it only after the start, so this is looked at again when something begins inside.
    """
    if frame.session_id is not None or not isinstance(span, ReadableSpan):
        return
    if frame.span_context != span.get_span_context():
        return
    said = (str((span.attributes or {}).get(key, "")) for key in _SESSION_KEYS)
    frame.session_id = next(filter(None, said), None)


def _remote(parent_context: Context | None) -> Invocation | None:
    """Return the place that came with a request, where *parent_context* was read from one."""
    if parent_context is None or not get_current_span(parent_context).get_span_context().is_remote:
        return None
    place = carrier.named_in(parent_context)
    return place if place is not None and place.task_id is not None else None


def _is_ours(span: ReadableSpan) -> bool:
    return _scope(span) == SCOPE


def _scope(span: ReadableSpan) -> str:
    scope = span.instrumentation_scope
    return "" if scope is None else scope.name


def _keep(
    recorder: Recorder,
    span_context: SpanContext,
    span: ReadableSpan,
    name: str,
    attributes: dict[str, AttributeValue],
) -> None:
    if span.start_time is None or span.end_time is None:
        return
    failed = span.status.status_code is StatusCode.ERROR
    error_type = _error_type(span) if failed else None
    if error_type is not None:
        attributes.setdefault(semconv.ERROR_TYPE, error_type)
    recorder.keep(
        context=span_context,
        parent_span_id=span.parent.span_id if span.parent else 0,
        name=name,
        start_ns=span.start_time,
        end_ns=span.end_time,
        status="error" if failed else "unset",
        attributes=attributes,
        scope=_scope(span),
    )


def _error_type(span: ReadableSpan) -> str | None:
    """Return the type of the last exception that *span* recorded, without its text."""
    types = ((event.attributes or {}).get("exception.type") for event in reversed(span.events))
    return next((str(found) for found in types if found), None)


def _name(attributes: dict[str, AttributeValue]) -> str:
    """A span of unknown making may carry anything in its name, so only its operation is kept."""
    for key in (semconv.OPERATION_NAME, "openinference.span.kind", "traceloop.span.kind"):
        if key in attributes:
            return str(attributes[key])
    return "span"
