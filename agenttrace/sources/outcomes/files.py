"""Read outcomes of tasks from files: CSV, JSON, or JSON lines.

The columns are ``task_id``, ``outcome`` and, where known, ``reference`` and ``at``; others are let
be, for these files come out of trackers and test runs that say more.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, Final, cast

from agenttrace.errors import ConfigError
from agenttrace.record.telling import OUTCOMES, cut

COLUMNS: Final = ("task_id", "outcome", "reference", "at")
_NEEDED: Final = COLUMNS[:2]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_US: Final = 1000
_SHOWN: Final = 40  # characters of a value that an error repeats


@dataclass(frozen=True, slots=True)
class Row:
    """What a file says became of a task.

    Attributes:
        where: File and line.
        task_id: As the file has it: an id, or the beginning of one.
        outcome: ``success``, ``failure`` or ``abandoned``.
        reference: What it can be looked up by; None where nothing is said.
        at_ns: When it was known, Unix nanoseconds; None where nothing is said.
    """

    where: str
    task_id: str
    outcome: str
    reference: str | None
    at_ns: int | None


def rows(path: Path, now_ns: int) -> list[Row]:
    """Return what *path* says, in its order.

    Args:
        path: A file in UTF-8.
        now_ns: The time; nothing can have been known later.

    Raises:
        ConfigError: A row is wrong; the first is named, and how many there are.
        OSError: The file cannot be read.
    """
    try:
        # Not read_text, which makes one newline of another inside of quotation marks as well.
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8. Save it as UTF-8.") from error
    found: list[Row] = []
    troubles: list[str] = []
    for where, said in _said(path, text):
        try:
            found.append(_row(where, said, now_ns))
        except ConfigError as error:
            troubles.append(str(error))
    if troubles:
        raise ConfigError(f"{troubles[0]}{_more(len(troubles) - 1)} Nothing was imported.")
    return found


def _more(rows: int) -> str:
    if not rows:
        return ""
    return " 1 more row is wrong." if rows == 1 else f" {rows:,} more rows are wrong."


def _said(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield where each row is, and what it says by column."""
    match text.lstrip()[:1]:
        case "":
            raise ConfigError(f"{path} is empty. Its columns are {', '.join(COLUMNS)}.")
        case "[":
            yield from _array(path, text)
        case "{":
            yield from _lines(path, text)
        case _:
            yield from _table(path, text)


def _array(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, item in enumerate(_decoded(path, text, 1), start=1):
        where = f"{path}, item {number:,}"
        yield where, _mapping(where, item)


def _lines(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{path}, line {number:,}"
            yield where, _mapping(where, _decoded(path, line, number))


def _decoded(path: Path, text: str, first_line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}, line {first_line + error.lineno - 1:,}, character {error.colno:,}: "
            "this is no JSON. Write a list of objects, or one object in each line. "
            "Nothing was imported."
        ) from error


def _mapping(where: str, item: Any) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise ConfigError(
            f'{where} is no object. Write it as {{"task_id": "…", "outcome": "success"}}. '
            "Nothing was imported."
        )
    said = cast("dict[str, Any]", item)
    _need(where, said)
    return said


def _table(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    header = text.strip().splitlines()[0]
    # Where the comma is the decimal mark, spreadsheets part columns by something else.
    mark = next((mark for mark in ",;\t" if mark in header), ",")
    names: list[str] = []
    for where, fields in _fields(path, text, mark):
        if not any(field.strip() for field in fields):
            continue
        if not names:
            names = [name.strip().lower() for name in fields]
            _need(where, names)
            continue
        if len(fields) > len(names):
            raise ConfigError(
                f"{where} has {len(fields)} columns, and the heading {len(names)}. Put what has "
                f"a {mark!r} in it into quotation marks. Nothing was imported."
            )
        yield where, dict(zip(names, fields, strict=False))


def _fields(path: Path, text: str, mark: str) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=mark)
    try:
        for fields in reader:
            yield f"{path}, line {reader.line_num:,}", fields
    except csv.Error as error:
        raise ConfigError(
            f"{path}, line {reader.line_num:,}: this is no CSV: {error}. Nothing was imported."
        ) from error


def _need(where: str, names: Iterable[str]) -> None:
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise ConfigError(
            f"{where}: there is no column {' and no column '.join(missing)}. The columns are "
            f"{', '.join(COLUMNS)}; the last two may be left out. Nothing was imported."
        )


def _row(where: str, said: Mapping[str, Any], now_ns: int) -> Row:
    task_id, outcome = _text(where, said, "task_id"), _text(where, said, "outcome").lower()
    if not task_id:
        raise ConfigError(f"{where}, column task_id: it is empty. Leave the row out.")
    if outcome not in OUTCOMES:
        raise ConfigError(
            f"{where}, column outcome: {outcome[:_SHOWN]!r} is none of {', '.join(OUTCOMES)}. "
            "Write one of them, or leave the row out."
        )
    return Row(
        where=where,
        task_id=task_id,
        outcome=outcome,
        reference=cut(_text(where, said, "reference")) or None,
        at_ns=_time(where, _text(where, said, "at"), now_ns),
    )


def _text(where: str, said: Mapping[str, Any], column: str) -> str:
    value = said.get(column)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ConfigError(f"{where}, column {column}: it is neither a text nor a whole number.")
    return str(value).strip()


def _time(where: str, said: str, now_ns: int) -> int | None:
    if not said:
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as error:
        raise ConfigError(
            f"{where}, column at: {said[:_SHOWN]!r} is no time. "
            "Write it as 2026-10-05T14:00:00Z; without a zone it is UTC."
        ) from error
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = zoned - _EPOCH
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if microseconds * _NS_PER_US > now_ns:
        raise ConfigError(
            f"{where}, column at: {said[:_SHOWN]!r} is yet to come. Check its year and its zone."
        )
    return microseconds * _NS_PER_US
