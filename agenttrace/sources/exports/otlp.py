"""Files of OTLP: JSON lines or protobuf of the collector's file exporter, and single messages.

Source: <https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/fileexporter>,
<https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agenttrace.sources.exports.files import Export, records
from agenttrace.sources.source import Piece, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agenttrace.sources.otlp import Read, Signal

_SIGNALS: Final[dict[str, Signal]] = {
    "resourceSpans": "traces",
    "resource_spans": "traces",
    "resourceLogs": "logs",
    "resource_logs": "logs",
    "resourceMetrics": "metrics",
    "resource_metrics": "metrics",
}
_ALL: Final[tuple[Signal, ...]] = ("traces", "logs", "metrics")
_LENGTH: Final = 4  # bytes before each message, the most significant first
_NO_MESSAGE: Final = "something that is no message of OTLP"


class _Otlp(Export):
    """Messages of OTLP in files."""

    def read(self, piece: Piece) -> Iterator[bytes | Skipped]:
        """Yield what the messages tell, as lines of the spool."""
        if piece.text.lstrip()[:1] in (b"{", b"["):
            for record in records(piece):
                yield from (record,) if isinstance(record, Skipped) else _of_json(record)
        elif piece.text.strip():
            for message in _messages(piece.text):
                yield from _of_protobuf(message)


SOURCE: Final = _Otlp("otlp", (".json", ".jsonl", ".ndjson", ".log", ".pb", ".binpb", ".proto"))


def _of_json(record: dict[str, Any]) -> Iterator[bytes | Skipped]:
    # The messages of protobuf take time to load.
    from agenttrace.sources.otlp import MalformedError, read
    from agenttrace.sources.otlp.decoding import of_value

    signals: dict[Signal, str] = {signal: key for key, signal in _SIGNALS.items() if key in record}
    if not signals:
        yield Skipped(_NO_MESSAGE)
    for signal, key in signals.items():
        try:
            found = read(signal, of_value(signal, {key: record[key]}))
        except MalformedError:
            yield Skipped(_NO_MESSAGE)
        else:
            yield from _told(found)


def _of_protobuf(message: bytes) -> Iterator[bytes | Skipped]:
    """Yield what a message tells; which signal it is of is told by what can be read of it."""
    from agenttrace.sources.otlp import MalformedError, read

    found: list[Read] = []
    for signal in _ALL:
        try:
            found.append(read(signal, message))
        except MalformedError:
            continue
    best = max(found, key=_understood, default=None)
    if best is None or not best.accepted:
        yield Skipped(_NO_MESSAGE)
    else:
        yield from _told(best)


def _understood(found: Read) -> int:
    return found.accepted - found.rejected.total()


def _told(found: Read) -> Iterator[bytes | Skipped]:
    yield from found.lines
    for reason, number in found.rejected.items():
        yield Skipped(reason, number)


def _messages(text: bytes) -> Iterator[bytes]:
    """Yield the messages of a file, each behind its length; or the only one that it is."""
    found: list[bytes] = []
    position = 0
    while position + _LENGTH <= len(text):
        size = int.from_bytes(text[position : position + _LENGTH])
        position += _LENGTH + size
        found.append(text[position - size : position])
    yield from found if position == len(text) else (text,)
