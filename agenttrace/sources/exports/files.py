"""What the sources of exports share: which files they read, and one record at a time of them."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk

_PEEK: Final = 64 * 1024
_LINES: Final = (".jsonl", ".ndjson", ".log")
_NS: Final = 1_000_000_000
_MS: Final = 1_000_000
_MS_FROM: Final = 10**11  # a number as large counts milliseconds; smaller ones, seconds
_NS_FROM: Final = 10**17


class Export:
    """Files of an export, wherever a person has put them.

    Attributes:
        name: Of the source.
        suffixes: How the names of its files end.
        form: How they are read where nothing else tells.
    """

    form: Form = "lines"

    def __init__(self, name: str, suffixes: tuple[str, ...]) -> None:
        self.name = name
        self.suffixes = suffixes

    def roots(self, user: User) -> Iterable[Path]:  # noqa: ARG002 - nobody knows where they lie
        """Return none: a path is given."""
        return ()

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return the files below *root* that may be such an export."""
        return walk(root, lambda path: path.endswith(self.suffixes), unreadable)

    def form_of(self, path: Path) -> Form:
        """Return whether a file has a record on each line, or is one document."""
        if path.suffix in _LINES:
            return "lines"
        try:
            with path.open("rb") as file:
                head = file.read(_PEEK)
        except OSError:
            return "lines"  # why it cannot be read is said where it is read
        return "lines" if _is_lines(head) else "document"


def records(piece: Piece) -> Iterator[dict[str, Any] | Skipped]:
    """Yield the JSON objects of lines, of a document, or of a list in a document."""
    if piece.path.suffix == ".csv":
        yield from _rows(piece.text)
        return
    try:
        whole = msgspec.json.decode(piece.text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        yield from _of_lines(piece)
        return
    yield from _objects(whole)


def moment_ns(said: object) -> int | None:
    """Return a time in nanoseconds since 1970-01-01 UTC; None for what is none.

    Args:
        said: ISO 8601, UTC where it says no zone; or a number of seconds, milliseconds or
            nanoseconds, told apart by its size.
    """
    if isinstance(said, str) and said.lstrip("-").isdigit():
        said = int(said)
    if isinstance(said, int | float) and not isinstance(said, bool):
        return _scaled(said)
    if not isinstance(said, str):
        return None
    try:
        when = datetime.fromisoformat(said)
        seconds = when.replace(tzinfo=when.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return round(seconds * 1_000_000) * 1_000 if seconds > 0 else None


def mapping(said: object) -> Mapping[str, Any]:
    """Return a mapping, be it written as JSON in a column; an empty one for anything else."""
    if isinstance(said, str):
        try:
            said = msgspec.json.decode(said)
        except (msgspec.DecodeError, RecursionError):
            return {}
    return cast("Mapping[str, Any]", said) if isinstance(said, dict) else {}


def _is_lines(head: bytes) -> bool:
    if not head.lstrip().startswith((b"{", b"[")):
        return False
    first, newline, rest = head.partition(b"\n")
    if not newline or not rest.strip():
        return not first.lstrip().startswith(b"[")
    try:
        msgspec.json.decode(first)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _of_lines(piece: Piece) -> Iterator[dict[str, Any] | Skipped]:
    for line in piece.lines():
        try:
            said = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            yield Skipped("a line that is no JSON")
        else:
            yield from _objects(said)


def _objects(said: object) -> Iterator[dict[str, Any] | Skipped]:
    if isinstance(said, dict):
        found = cast("dict[str, Any]", said)
        inside: object = found.get("data")
        if isinstance(inside, list) and "id" not in found:  # a page of an interface
            yield from _objects(cast("list[object]", inside))
        else:
            yield found
    elif isinstance(said, list):
        for one in cast("list[object]", said):
            yield cast("dict[str, Any]", one) if isinstance(one, dict) else _no_object()
    else:
        yield _no_object()


def _no_object() -> Skipped:
    return Skipped("JSON that is no object")


def _rows(text: bytes) -> Iterator[dict[str, Any] | Skipped]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    try:
        yield from csv.DictReader(io.StringIO(text.decode("utf-8", "replace"), newline=""))
    except csv.Error:
        yield Skipped("a row that is no CSV")


def _scaled(said: float) -> int | None:
    if not 0 < said < 2**63:
        return None
    if said >= _NS_FROM:
        return int(said)
    return int(said * _MS) if said >= _MS_FROM else int(said * _NS)
