"""Spans of any instrumentation, in whatever spelling: the fold knows the spellings.

GenAI semantic conventions old and new, OpenInference and OpenLLMetry.
"""

from typing import Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.readable import AttributeValue
from agenttrace.sources.otlp.attributes import Attributes
from agenttrace.sources.otlp.seen import SeenEvent, SeenPoint, SeenSpan
from agenttrace.sources.told import SCOPE, span_id, trace_id
from agenttrace.store.spellings import KINDS

OURS: Final = "agenttrace"
"""Scope of the spans that agenttrace recorded itself, in another process."""

OPERATION_DETAILS: Final = "gen_ai.client.inference.operation.details"

_OPERATIONS: Final = (
    semconv.OPERATION_NAME,
    "openinference.span.kind",
    "traceloop.span.kind",
    "llm.request.type",
)
_TASK_NAMES: Final = (
    semconv.AGENT_NAME,
    "agent.name",
    "gen_ai.workflow.name",
    "traceloop.workflow.name",
    "traceloop.entity.name",
)
_ADK: Final = "gcp.vertex.agent"
# Spans of Google's ADK that say by their name alone what they are: kind, and role.
_ADK_FRAMES: Final[dict[str, Attributes]] = {
    "invocation": {semconv.KIND: "step"},
    "compact_events": {semconv.KIND: "step", semconv.ROLE: "compaction"},
    "execute_tool (merged)": {semconv.KIND: "step"},  # the results, and no tool
}
# Some say only by the first word of the name what they are, as the convention has it.
_NAMED: Final = {
    semconv.INVOKE_AGENT: "agent",
    semconv.INVOKE_WORKFLOW: "step",
    semconv.EXECUTE_TOOL: "tool",
}
_encode: Final = msgspec.json.Encoder().encode


def of_span(span: SeenSpan) -> bytes:
    """Return *span* as a line of the spool."""
    attributes, origin = span.attributes, span.origin
    is_ours = origin.scope == OURS
    if not is_ours:
        _place(span)
        kind = kind_of(attributes)
        if kind == "inference":
            attributes[semconv.CAPTURE] = "otlp"
        elif span.parent_span_id is None and kind in ("agent", "step"):
            _name_task(attributes)
    if span.error_type is not None:
        attributes.setdefault(semconv.ERROR_TYPE, span.error_type)
    name = span.name if is_ours else _operation(attributes)
    return _line(span, name, {**origin.resource, **attributes})


def of_event(event: SeenEvent) -> bytes | None:
    """Return an event that tells of a call as a line of the spool; None if nothing can be told.

    Its span is inside the one that it happened in, so of the two only one counts. Where it happened
    in none, or in another, the id of the response tells that it is the same call; then the span is
    believed, for its scope comes before.
    """
    attributes, service = event.attributes, event.origin.service
    trace = event.trace_id
    if not trace:
        session = attributes.get(semconv.CONVERSATION_ID) or attributes.get(semconv.RESPONSE_ID)
        if not session:
            return None
        trace = trace_id(service, str(session))
    attributes.setdefault(semconv.OPERATION_NAME, semconv.CHAT)
    if kind_of(attributes) != "inference":
        return None
    response = str(attributes.get(semconv.RESPONSE_ID, "") or event.at_ns)
    attributes[semconv.CAPTURE] = "otlp"
    span = SeenSpan(
        event.origin,
        "",
        trace,
        span_id("event", trace, event.span_id, response),
        event.span_id or None,
        event.at_ns,
        None,
        semconv.ERROR_TYPE in attributes,
        None,
        attributes,
    )
    scope = f"{event.origin.scope} events"
    return _line(span, _operation(attributes), {**event.origin.resource, **attributes}, scope)


def of_dialect(span: SeenSpan, name: str, source: str) -> bytes:
    """Return *span* as a line of the spool, with the attributes that its dialect made of it."""
    resource = {**span.origin.resource, semconv.SERVICE_NAME: source}
    return _line(span, name, {**resource, **span.attributes})


def tokens(usage: TokenUsage) -> dict[str, AttributeValue | None]:
    """Spell *usage* as attributes; None for what it does not say."""
    return {
        semconv.USAGE: usage.state,
        semconv.INPUT_TOKENS: usage.input_tokens,
        semconv.OUTPUT_TOKENS: usage.output_tokens,
        semconv.CACHE_READ_TOKENS: usage.cache_read_tokens,
        semconv.CACHE_WRITE_TOKENS: usage.cache_write_tokens,
        semconv.REASONING_TOKENS: usage.reasoning_tokens,
    }


def total(
    point: SeenPoint, source: str, session: str, model: str | None, counted: Attributes
) -> bytes:
    """Return a point of a counter as what a source says that a session has used.

    Points of a counter that goes on have one span, of which the latest counts. One that begins anew
    with each point has a span for each. So the latest of each span add up, for either.
    """
    series = sorted(f"{key}={said}" for key, said in point.attributes.items())
    part = str(point.at_ns) if point.is_delta else ""
    return fact(
        point,
        "delta" if point.is_delta else "total",
        (trace_id(source, session), span_id("point", source, point.name, *series, part)),
        point.at_ns,
        {
            semconv.SERVICE_NAME: source,
            semconv.CONVERSATION_ID: session,
            semconv.CAPTURE: "otlp",
            **({} if model is None else {semconv.RESPONSE_MODEL: model}),
            **counted,
        },
    )


def fact(
    seen: SeenEvent | SeenPoint, name: str, ids: tuple[str, str], at_ns: int, said: Attributes
) -> bytes:
    """Return a record that is no call: what somebody says of a task or of a session.

    Args:
        seen: What says it.
        name: ``delta`` for a part of a sum, ``total`` for a sum so far.
        ids: Trace and span: of one span the latest counts, and those of a session add up.
        at_ns: When it was said.
        said: What it says.
    """
    span = SeenSpan(
        seen.origin, "", *ids, None, at_ns, at_ns, is_failed=False, error_type=None, attributes={}
    )
    attributes = {semconv.KIND: "fact", **said}
    return _line(span, name, {**seen.origin.resource, **attributes}, SCOPE)


def kind_of(attributes: Attributes) -> str:
    """Return what the fold will take a span for."""
    for key, kinds in KINDS.items():
        if (said := attributes.get(key)) is not None:
            found = kinds.get(str(said).lower())
            if found is not None:
                return found
    return "other"


def _place(span: SeenSpan) -> None:
    """Say of a span what only its name tells."""
    attributes = span.attributes
    if span.origin.scope == _ADK and (frame := _ADK_FRAMES.get(span.name)) is not None:
        attributes.update(frame)
    elif semconv.OPERATION_NAME not in attributes:
        operation = span.name.partition(" ")[0]
        if operation in _NAMED and kind_of(attributes) == "other":
            attributes[semconv.OPERATION_NAME] = operation


def _name_task(attributes: Attributes) -> None:
    """A task that nobody named has the name of the agent or workflow that it begins with."""
    for key in _TASK_NAMES:
        if said := attributes.get(key):
            attributes[semconv.TASK_NAME] = str(said)
            return


def _operation(attributes: Attributes) -> str:
    """A span of unknown making may carry anything in its name, so only its operation is kept."""
    for key in _OPERATIONS:
        if (said := attributes.get(key)) is not None:
            return str(said)
    return "span"


def _line(
    span: SeenSpan, name: str, attributes: dict[str, AttributeValue], scope: str | None = None
) -> bytes:
    record = {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": name,
        "start_ns": span.start_ns,
        "end_ns": span.end_ns,
        "status": "error" if span.is_failed else "unset",
        "scope": span.origin.scope if scope is None else scope,
        "attributes": attributes,
    }
    return _encode(record) + b"\n"
