"""Spans for when no OpenTelemetry SDK is in use: ids and a place in the trace, and no more.

An SDK span costs several times as much as the record in the spool; where nobody would read it, it
is not made. As soon as the program has a provider of the SDK, that is used instead.
"""

import os
import random
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN_ID,
    INVALID_TRACE_ID,
    NonRecordingSpan,
    Span,
    SpanContext,
    TraceFlags,
)

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)

# Of its own, so that the program's random numbers stay what its seed makes them, and ours stay
# unlike those of another run with the same seed.
_chance: Final = random.Random()  # noqa: S311 - ids, not secrets
os.register_at_fork(after_in_child=_chance.seed)


def start_span(_name: str, context: Context, **_said: object) -> Span:
    """Start a span in the trace of the current one, or in a new trace."""
    parent = trace.get_current_span(context).get_span_context()
    trace_id = parent.trace_id if parent.is_valid else _random(128, INVALID_TRACE_ID)
    span_id = _random(64, INVALID_SPAN_ID)
    return NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=False, trace_flags=_SAMPLED))


def _random(bits: int, invalid: int) -> int:
    found = _chance.getrandbits(bits)
    return found if found != invalid else _random(bits, invalid)
