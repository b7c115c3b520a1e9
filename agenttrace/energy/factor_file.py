"""Read one factor file, and say in one line what is wrong with it and where."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final, cast, get_args

import msgspec

from agenttrace.energy.records import (
    Boundary,
    Factor,
    Family,
    Mark,
    ModelClass,
    Pattern,
    Provider,
    Records,
    Source,
)
from agenttrace.errors import FactorError

_DATA: Final = Path(__file__).parent / "data"

# Tables of a file that hold many records each, and what a record is known by.
_TABLES: Final[Mapping[str, tuple[type, str]]] = {
    "factor": (Factor, "id"),
    "class": (ModelClass, "name"),
    "pattern": (Pattern, "matches"),
    "family": (Family, "name"),
    "provider": (Provider, "name"),
}
_SHOWN: Final = "`agenttrace factors show {} --format toml` prints one that is sound"
_EXAMPLES: Final[Mapping[str, str]] = {
    "factor": _SHOWN.format("facility_multiplier"),
    "class": _SHOWN.format("large"),
    "pattern": 'Write it as matches = "^my-model" and class = "large"',
    "family": _SHOWN.format("gpt-oss-20b"),
    "provider": _SHOWN.format("openai"),
    "source": _SHOWN.format("ecologits-models"),
    "deployment": 'Write it as "my-deployment" = "gpt-4o"',
}
_CHOICES: Final = {"mark": get_args(Mark), "boundary": get_args(Boundary)}

# As msgspec says it: first what is wrong, and after " - at " the path to it.
_REASON: Final = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_TOML_DATES: Final = (datetime, date, time)


@dataclass(frozen=True, slots=True)
class FactorFile:
    """A file of factors that could be read.

    Attributes:
        label: What to call it: our own files by name, others by path.
        text: What it says.
        records: The same, as records.
    """

    label: str
    text: str
    records: Records

    def where(self, table: str, index: int = 0, key: str = "") -> "Where":
        """Return the place of a record, or of one of its keys.

        Args:
            table: Name of the table; of a source, with its key.
            index: Which of its records, from 0.
            key: Key in the record; its header where that is not given in the file.
        """
        return Where(self, table, index, key)


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file, whose line is looked for only when it is said."""

    file: FactorFile
    table: str
    index: int
    key: str

    def __str__(self) -> str:
        return _where(self.file.label, _line(self.file.text, self.table, self.index, self.key))


def read(path: Path, named_by: str = "") -> FactorFile:
    """Read a file of factors.

    Args:
        path: A TOML file.
        named_by: What named it, for the error.

    Raises:
        FactorError: It cannot be read, is no TOML, or a record lacks a key, has one that is not
            known, or has a value of another type.
    """
    label = path.name if path.parent == _DATA else str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        by = f", which {named_by} names," if named_by else ""
        raise FactorError(
            f"{label}{by} cannot be read: {error.strerror}. Name a TOML file that is there."
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FactorError(f"{label}, line {line} is not UTF-8. Save the file as UTF-8.") from error
    return FactorFile(label, text, parse(text, label))


def parse(text: str, label: str) -> Records:
    """Read the text of a factor file; errors as in :func:`read`."""
    try:
        return msgspec.toml.decode(text, type=Records)
    except msgspec.DecodeError as error:
        raise _explained(text, label, error) from error


def _explained(text: str, label: str, error: msgspec.DecodeError) -> FactorError:
    """Find the record that is not understood: the decoder knows its number only."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as no_toml:
        return FactorError(f"{label} is no TOML: {_toml(no_toml)}. Correct that line.")
    return next(_troubles(tables, text, label), FactorError(f"{label}: {error}."))


def _toml(error: tomllib.TOMLDecodeError) -> str:
    reason = str(error)
    return reason[:1].lower() + reason[1:]


def _troubles(tables: Mapping[str, Any], text: str, label: str) -> Iterator[FactorError]:
    known = {"source", "deployment", *_TABLES}
    for table, value in tables.items():
        if table not in known:
            yield FactorError(
                f"{_where(label, _line(text, table, 0))}: there is no table {table!r}. "
                f"Tables: {', '.join(sorted(known))}."
            )
        elif table in _TABLES:
            yield from _in_records(table, value, text, label)
        elif not isinstance(value, dict):
            yield FactorError(f"{label}: {table} is no table. Write it as [{table}].")
        else:
            type_ = Source if table == "source" else str
            for key, record in cast("dict[str, Any]", value).items():
                if trouble := _trouble(record, type_):
                    header = _line(text, f"{table}.{key}", 0) or _line(text, table, 0, key)
                    yield _said(_where(label, header), table, f" {key!r}", trouble)


def _in_records(table: str, value: Any, text: str, label: str) -> Iterator[FactorError]:
    if not isinstance(value, list):
        yield FactorError(
            f"{_where(label, _line(text, table, 0))}: [{table}] holds one record, and there may be "
            f"many. Write it as [[{table}]]."
        )
        return
    type_, name = _TABLES[table]
    for index, record in enumerate(cast("list[Any]", value)):
        if trouble := _trouble(record, type_):
            line = _line(text, table, index, re.split(r"[.\[]", trouble[1])[0])
            known_by = f" {record[name]!r}" if isinstance(record, dict) and name in record else ""
            yield _said(_where(label, line), table, known_by, trouble)


def _trouble(record: Any, type_: type) -> tuple[str, str] | None:
    """Return what is wrong with a record, and the path to it within the record."""
    try:
        msgspec.convert(record, type_, builtin_types=_TOML_DATES)
    except msgspec.ValidationError as error:
        found = _REASON.fullmatch(str(error))
        assert found is not None
        return found["reason"], found["path"] or ""
    return None


def _said(where: str, table: str, name: str, trouble: tuple[str, str]) -> FactorError:
    reason, path = trouble
    key = f", {path}" if path else ""
    choices = _CHOICES.get(path.rpartition(".")[2], ())
    way_out = f"Use one of {', '.join(choices)}" if choices else _EXAMPLES[table]
    return FactorError(f"{where}: {table}{name}{key}: {reason[:1].lower()}{reason[1:]}. {way_out}.")


def _where(label: str, line: int | None) -> str:
    return f"{label}, line {line}" if line else label


def _line(text: str, table: str, index: int, key: str = "") -> int | None:
    """Return the line of a table's header, or of a key below it; None where it cannot be found.

    A table may also be written inside another, which nothing here needs to understand: the error
    then names file and record alone.
    """
    name = r"\s*\.\s*".join(rf"[\"']?{re.escape(part)}[\"']?" for part in table.split(".", 1))
    headers = list(re.finditer(rf"^[ \t]*\[\[?\s*{name}\s*\]\]?", text, re.MULTILINE))
    if index >= len(headers):
        return None
    start = headers[index].start()
    if key:
        end = re.compile(r"^[ \t]*\[\[?\s*[A-Za-z\"']", re.MULTILINE).search(
            text, headers[index].end()
        )
        named = re.compile(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?\s*[=.]", re.MULTILINE).search(
            text, headers[index].end(), end.start() if end else len(text)
        )
        start = named.start() if named else start
    return text.count("\n", 0, start) + 1
