"""What one process records with: a tracer for OpenTelemetry and a spool for agenttrace."""

from collections.abc import Mapping
from typing import Final

import msgspec
from opentelemetry.trace import SpanContext, Tracer

from agenttrace.record import trouble
from agenttrace.record.spool import Spool

SCOPE: Final = "agenttrace"

AttributeValue = str | bool | int | float
Attributes = Mapping[str, AttributeValue]


class Recorder:
    """The tracer and the spool of this process."""

    __slots__ = ("_encode", "spool", "tracer")

    def __init__(self, tracer: Tracer, spool: Spool) -> None:
        self.tracer = tracer
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
