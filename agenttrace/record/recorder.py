"""What one process records with: spans for OpenTelemetry and a spool for agenttrace."""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, SpanKind

from agenttrace.record import trouble
from agenttrace.record.spool import Spool

SCOPE: Final = "agenttrace"

AttributeValue = str | bool | int | float
Attributes = Mapping[str, AttributeValue]


class StartSpan(Protocol):
    """Starts a span: ``start_span`` of a tracer of the SDK, or of ``agenttrace.record.local``."""

    def __call__(self, name: str, /, context: Context, *, kind: SpanKind, start_time: int) -> Span:
        """Start a span inside *context* at *start_time*, in Unix nanoseconds."""
        ...


class Recorder:
    """Where spans start and the spool they end in.

    Attributes:
        start_span: Starts a span.
        spool: The writer of this process.
        is_alone: No SDK is in use, so nobody else sees the spans.
    """

    __slots__ = ("_encode", "is_alone", "spool", "start_span")

    def __init__(self, start_span: StartSpan, spool: Spool, *, is_alone: bool = False) -> None:
        self.start_span = start_span
        self.is_alone = is_alone
        self.spool = spool
        self._encode = msgspec.json.Encoder().encode

    def keep(
        self,
        *,
        context: SpanContext,
        parent_span_id: int,
        name: str,
        start_ns: int,
        end_ns: int,
        status: str,
        attributes: Attributes,
        scope: str = SCOPE,
    ) -> None:
        """Append one ended span to the spool. Never raises.

        Our own spans come here directly and not through a span processor, so that the sampler of a
        provider that somebody else configured does not make the counts a sample.
        """
        try:
            line = self._encode(
                {
                    "trace_id": f"{context.trace_id:032x}",
                    "span_id": f"{context.span_id:016x}",
                    "parent_span_id": f"{parent_span_id:016x}" if parent_span_id else None,
                    "name": name,
                    "start_ns": start_ns,
                    "end_ns": end_ns,
                    "status": status,
                    "scope": scope,
                    "attributes": attributes,
                }
            )
            self.spool.append(line + b"\n")
        except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("a record", error)
