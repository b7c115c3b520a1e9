"""What one process records with: spans for OpenTelemetry and a spool for agenttrace."""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, SpanKind

from agenttrace.record import trouble
from agenttrace.record.flight import Ids, Slot
from agenttrace.record.readable import AttributeValue
from agenttrace.record.spool import Spool

SCOPE: Final = "agenttrace"
METER_SCOPE: Final = "agenttrace.meter"
"""Of what passes through this process, which may be recorded where it was made as well."""

Attributes = Mapping[str, AttributeValue]


class StartSpan(Protocol):
    """Starts a span: ``start_span`` of a tracer of the SDK, or of ``agenttrace.record.local``."""

    def __call__(self, name: str, /, context: Context, *, kind: SpanKind, start_time: int) -> Span:
        """Start a span inside *context* at *start_time*, in Unix nanoseconds."""
        ...


class _Ended(msgspec.Struct, gc=False):
    """A span that has ended, as the spool keeps it."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    start_ns: int
    end_ns: int
    status: str
    scope: str
    attributes: Attributes


class _Begun(msgspec.Struct, gc=False):
    """A span that is under way, as it is to be known if it never ends."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    start_ns: int
    attributes: Attributes
    scope: str
    end_ns: None = None
    interrupted: bool = True
    status: str = "unset"


class Recorder:
    """Where spans start and the spool they end in.

    Attributes:
        start_span: Starts a span.
        spool: The writer of this process.
        is_alone: No SDK is in use, so nobody else sees the spans.
        scope: Instrumentation scope of what is recorded here.
    """

    __slots__ = ("_encode", "is_alone", "scope", "spool", "start_span")

    def __init__(
        self,
        start_span: StartSpan,
        spool: Spool,
        *,
        is_alone: bool = False,
        scope: str = SCOPE,
    ) -> None:
        self.start_span = start_span
        self.is_alone = is_alone
        self.scope = scope
        self.spool = spool
        self._encode = msgspec.json.Encoder().encode

    def begin(
        self,
        *,
        context: SpanContext,
        parent_span_id: int,
        name: str,
        start_ns: int,
        attributes: Attributes,
    ) -> Slot | None:
        """Note that a span begins, in case that it never ends. Never raises.

        Returns:
            Where it is noted, for ``keep``; None if it is not.
        """
        try:
            ids = _ids(context, parent_span_id)
            begun = _Begun(*ids, name, start_ns, attributes, self.scope)
            slot = self.spool.begin(self._encode(begun) + b"\n")
        except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("noting what is under way", error)
            return None
        if slot is not None:
            slot.ids = ids
        return slot

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
        scope: str | None = None,
        slot: Slot | None = None,
    ) -> None:
        """Append one ended span to the spool. Never raises.

        Our own spans come here directly and not through a span processor, so that the sampler of a
        provider that somebody else configured does not make the counts a sample.
        """
        try:
            ids = _ids(context, parent_span_id) if slot is None else slot.ids
            ended = _Ended(*ids, name, start_ns, end_ns, status, scope or self.scope, attributes)
            line = self._encode(ended)
            self.spool.append(line + b"\n", slot)
        except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("a record", error)
            self.spool.lose(slot)


def _ids(context: SpanContext, parent_span_id: int) -> Ids:
    # By position, and with the older formatting: half the time of names and f-strings.
    return (
        "%032x" % context[0],  # noqa: UP031
        "%016x" % context[1],  # noqa: UP031
        "%016x" % parent_span_id if parent_span_id else None,  # noqa: UP031
    )
