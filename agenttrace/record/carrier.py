"""Carry the current task into a child process through its environment.

``TRACEPARENT`` and ``BAGGAGE`` are OpenTelemetry's environment carriers; the baggage holds the task
id and what else a call in the child must know of the place it has.

Source: <https://opentelemetry.io/docs/specs/otel/context/env-carriers/>
"""

from collections.abc import Mapping
from typing import Final

from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agenttrace import semconv
from agenttrace.record.invocation import Invocation, current_mark

_VARIABLES: Final = ("traceparent", "tracestate", "baggage")
_trace_context: Final = TraceContextTextMapPropagator()
_baggage: Final = W3CBaggagePropagator()


def inject(invocation: Invocation | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a child of *invocation* needs; none if there is none.

    Args:
        invocation: What is current.
        environ: The environment; the baggage in it is kept.
    """
    if invocation is None:
        return {}
    span = NonRecordingSpan(invocation.span_context)
    present = {"baggage": environ.get("BAGGAGE", "")}
    carried = trace.set_span_in_context(span, _baggage.extract(present, Context()))
    mark = current_mark()
    marked = {semconv.ROLE: mark.role} if mark is not None and mark.role else {}
    for key, value in {**invocation.place(), **marked}.items():
        carried = baggage.set_baggage(key, str(value), carried)
    found: dict[str, str] = {}
    _trace_context.inject(found, carried)
    _baggage.inject(found, carried)
    return {name.upper(): value for name, value in found.items()}


def extract(environ: Mapping[str, str]) -> Invocation | None:
    """Return what stands for the invocation that this process works for, if one is named."""
    carried = {name: environ[name.upper()] for name in _VARIABLES if environ.get(name.upper())}
    if "traceparent" not in carried:
        return None
    found = _baggage.extract(carried, _trace_context.extract(carried, Context()))
    span_context = trace.get_current_span(found).get_span_context()
    if not span_context.is_valid:
        return None
    said = {key: str(value) for key, value in baggage.get_all(found).items()}
    depth = said.get(semconv.AGENT_DEPTH, "0")
    return Invocation.remote(
        span_context,
        task_id=said.get(semconv.TASK_ID),
        task_name=said.get(semconv.TASK_NAME),
        session_id=said.get(semconv.CONVERSATION_ID),
        agent=said.get(semconv.AGENT_NAME),
        agent_span_id=said.get(semconv.AGENT_SPAN_ID),
        agent_depth=int(depth) if depth.isdecimal() else 0,
        role=said.get(semconv.ROLE, "main"),
    )
