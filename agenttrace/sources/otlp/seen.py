"""What arrives of a signal, one by one: spans, log records and points of metrics."""

from typing import NamedTuple

import msgspec

from agenttrace.sources.otlp.attributes import Attributes


class Origin(NamedTuple):
    """What sends.

    Attributes:
        resource: What is kept of the attributes of its resource.
        service: Its service.name; empty where it has none.
        scope: Name of the instrumentation.
        version: Version of the instrumentation.
    """

    resource: Attributes
    service: str
    scope: str
    version: str


class SeenSpan(msgspec.Struct, gc=False):
    """A span, before anything is made of it.

    Attributes:
        origin: What sends it.
        name: As it came: it may hold anything, and is only looked up in tables.
        trace_id: 32 hex digits.
        span_id: 16 hex digits.
        parent_span_id: 16 hex digits; None for a root.
        start_ns: Nanoseconds since 1970-01-01 UTC.
        end_ns: The same; None where it is missing.
        is_failed: Its status is an error.
        error_type: Class of the last exception in it.
        attributes: What is kept of them.
    """

    origin: Origin
    name: str
    trace_id: str
    span_id: str
    parent_span_id: str | None
    start_ns: int
    end_ns: int | None
    is_failed: bool
    error_type: str | None
    attributes: Attributes


class SeenEvent(msgspec.Struct, gc=False):
    """A log record, before anything is made of it.

    Attributes:
        origin: What sends it.
        name: Of the event; empty where it is a plain line of a log.
        at_ns: When it happened, else when it was seen; nanoseconds since 1970-01-01 UTC.
        trace_id: Trace that it happened in, 32 hex digits; empty where there is none.
        span_id: Span that it happened in, 16 hex digits; empty where there is none.
        attributes: What is kept of them.
    """

    origin: Origin
    name: str
    at_ns: int
    trace_id: str
    span_id: str
    attributes: Attributes


class SeenPoint(msgspec.Struct, gc=False):
    """A point of a sum, before anything is made of it.

    Attributes:
        origin: What sends it.
        name: Of the metric.
        start_ns: When what it counts began.
        at_ns: Until when it counts.
        value: What it says.
        is_delta: It counts since the point before, and not since the beginning.
        attributes: What is kept of them.
    """

    origin: Origin
    name: str
    start_ns: int
    at_ns: int
    value: float
    is_delta: bool
    attributes: Attributes
