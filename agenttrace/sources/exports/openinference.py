"""Spans of OpenInference that Phoenix has exported: JSON, JSON lines, CSV or Parquet.

Its interface and its command line write a span as an object; a data frame has a column for each
attribute, named ``attributes.`` and the name.

Source: <https://arize.com/docs/phoenix/tracing/how-to-tracing/importing-and-exporting-traces>
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agenttrace.record.readable import THEIRS
from agenttrace.sources.exports.files import Export, mapping, moment_ns, records
from agenttrace.sources.exports.spans import NoSpanError, attributes_of, hexadecimal, line
from agenttrace.sources.source import Form, Piece, Skipped, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KIND: Final = "openinference.span.kind"
_FLAT: Final = "attributes."
_PARQUET: Final = ".parquet"
_TIMES: Final = ("start_time", "end_time")
# What is read of a table; columns with what was said are not even looked at.
_COLUMNS: Final = frozenset(
    {"context.trace_id", "context.span_id", "parent_id", "status_code", "span_kind", *_TIMES}
) | {f"{_FLAT}{key}" for key in THEIRS}
_AT_ONCE: Final = 10_000  # rows
_COUNTS: Final = (f"{_FLAT}llm.token_count.", f"{_FLAT}gen_ai.usage.")


class _OpenInference(Export):
    """Spans that Phoenix has exported."""

    def form_of(self, path: Path) -> Form:
        """Return how a file is read; a table of Parquet is opened here."""
        return "database" if path.suffix == _PARQUET else super().form_of(path)

    def read(self, piece: Piece) -> Iterator[bytes | Skipped]:
        """Yield the spans, as lines of the spool."""
        found = _rows(piece.path) if piece.path.suffix == _PARQUET else records(piece)
        for record in found:
            if isinstance(record, Skipped):
                yield record
                continue
            try:
                yield _line(record)
            except NoSpanError as error:
                yield Skipped(str(error))


SOURCE: Final = _OpenInference("openinference", (".json", ".jsonl", ".ndjson", ".csv", _PARQUET))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of Parquet, as the columns that are read.

    Raises:
        UnreadableError: It is no such table.
    """
    import duckdb  # takes time to load

    try:
        with duckdb.connect() as connection:
            table = "read_parquet($1)"
            described = connection.execute(f"DESCRIBE FROM {table}", [str(path)]).fetchall()
            names = [str(one) for one, *_ in described if _is_read(str(one))]
            if not names:
                raise UnreadableError("no table of spans")
            columns = ", ".join(map(_column, names))
            rows = connection.execute(f"SELECT {columns} FROM {table}", [str(path)])  # noqa: S608 - quoted names
            while found := rows.fetchmany(_AT_ONCE):
                for row in found:
                    yield dict(zip(names, row, strict=True))
    except duckdb.Error as error:
        raise UnreadableError(f"no table of Parquet ({type(error).__name__})") from error


def _is_read(name: str) -> bool:
    return name in _COLUMNS or name.startswith(_COUNTS)


def _column(name: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return f"epoch_us({quoted}) * 1000" if name in _TIMES else quoted


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
