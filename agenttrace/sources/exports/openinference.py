"""Spans of OpenInference that Phoenix has exported: JSON, JSON lines or CSV.

Its interface and its command line write a span as an object; a data frame has a column for each
attribute, named ``attributes.`` and the name.

Source: <https://arize.com/docs/phoenix/tracing/how-to-tracing/importing-and-exporting-traces>
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agenttrace.sources.exports.files import Export, mapping, moment_ns, records
from agenttrace.sources.exports.spans import NoSpanError, attributes_of, hexadecimal, line
from agenttrace.sources.source import Piece, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

_KIND: Final = "openinference.span.kind"
_FLAT: Final = "attributes."


class _OpenInference(Export):
    """Spans that Phoenix has exported."""

    def read(self, piece: Piece) -> Iterator[bytes | Skipped]:
        """Yield the spans, as lines of the spool."""
        for record in records(piece):
            if isinstance(record, Skipped):
                yield record
                continue
            try:
                yield _line(record)
            except NoSpanError as error:
                yield Skipped(str(error))


SOURCE: Final = _OpenInference("openinference", (".json", ".jsonl", ".ndjson", ".csv"))


def _line(record: dict[str, Any]) -> bytes:
    context = mapping(record.get("context"))
    said = _attributes(record)
    kind = record.get("span_kind")
    if isinstance(kind, str) and kind:
        said.setdefault(_KIND, kind)
    if _KIND not in said:
        raise NoSpanError("something that is no span of OpenInference")
    return line(
        SOURCE.name,
        hexadecimal(_first(record, context, "trace_id"), 16),
        hexadecimal(_first(record, context, "span_id"), 8),
        hexadecimal(record.get("parent_id"), 8),
        moment_ns(record.get("start_time")),
        moment_ns(record.get("end_time")),
        is_failed=str(record.get("status_code", "")).upper().endswith("ERROR"),
        attributes=attributes_of(said),
    )


def _attributes(record: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes by their names, whether they are nested, flat, or columns."""
    said = {key[len(_FLAT) :]: one for key, one in record.items() if key.startswith(_FLAT)}
    said.update(mapping(record.get("attributes")))
    return said


def _first(record: dict[str, Any], context: Any, key: str) -> object:
    for place, name in ((context, key), (record, f"context.{key}"), (record, key)):
        if place.get(name):
            return place[name]
    return None
