"""What ``agenttrace import`` says, in 80 columns and without a library that takes time to load."""

from __future__ import annotations

import json
import textwrap
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from agenttrace.coding_agents import CODING_AGENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from agenttrace.sources.finding import Found
    from agenttrace.sources.importing import Imported

_WIDTH: Final = 80
_NAMED: Final = 10  # files that are named one by one


def title(source: str) -> str:
    """Return a source's name as its makers write it."""
    agent = CODING_AGENTS.get(source)
    return source if agent is None else agent.title


def of_found(found: Sequence[Found], *, is_search: bool) -> Iterator[str]:
    """Yield what logs there are, a line for each source that has any."""
    there = [one for one in found if one.files or one.unreadable]
    if there:
        yield from _table(
            ("Source", "Files", "Size", "New"),
            [(title(one.source), f"{one.files:,}", size(one.bytes), _new(one)) for one in there],
        )
    elif is_search:
        yield "No coding agent of this user has written a log that can be read."
    else:
        for one in found:
            where = f" in {', '.join(map(str, one.roots))}" if one.roots else ""
            yield from _wrapped(f"There are no logs of {title(one.source)}{where}.")
    missing = [title(one.source) for one in found if one not in there]
    if missing and is_search:
        yield from _wrapped(f"Looked for as well, and not here: {', '.join(missing)}.")


def of_import(done: Sequence[Imported]) -> Iterator[str]:
    """Yield what came of an import: what is new, what was left out and why, and how to go on."""
    if not any(one.files or one.unreadable for one in done):
        yield "Nothing was imported. `agenttrace doctor` says which agents are here."
        return
    if all(is_nothing(one) for one in done):
        yield f"Nothing new in {_count(sum(one.files for one in done), 'file')}."
    else:
        yield from _table(*_figures(done))
    yield from _left_out(done)
    if any(one.calls or one.improved or one.spans for one in done):
        yield from _cannot_tell(done)
        yield ""
    yield "`agenttrace report` shows what it comes to."


def of_change(done: Imported, files: Sequence[Path]) -> str:
    """Return a line about an import of files that have changed."""
    said = [_count(done.calls, "new call")]
    if done.improved:
        said.append(f"{done.improved:,} improved")
    if done.spans:
        said.append(_count(done.spans, "span"))
    if done.turns:
        said.append(_count(done.turns, "turn"))
    if done.unreadable:
        said.append(f"{done.unreadable.popitem()[1]}")
    where = files[0].name if len(files) == 1 else _count(len(files), "file")
    return f"{datetime.now():%H:%M:%S}  {title(done.source)}: {', '.join(said)} ({where})"  # noqa: DTZ005 - the time on the wall


def is_nothing(one: Imported) -> bool:
    """Whether an import told nothing that was not known, and met with nothing odd."""
    numbers = (one.calls, one.improved, one.repeated, one.turns, one.spans)
    return not any(numbers) and not one.skipped and not one.unreadable


def to_json(found: Iterable[Found], done: Iterable[Imported] = ()) -> str:
    """Return both as a JSON object, with every figure."""
    return json.dumps(
        {
            "found": [_plain(one) for one in found],
            "imported": [{**_plain(one), **_lacks(one.source)} for one in done],
        },
        indent=2,
    )


def size(number: int) -> str:
    """Return a number of bytes for a person."""
    from rich.filesize import decimal

    return decimal(number)


def _new(one: Found) -> str:
    if one.unreadable and not one.files:
        return "not readable"
    if not one.new_files:
        return "nothing"
    if one.new_files == one.files and one.new_bytes == one.bytes:
        return "all"
    return f"{_count(one.new_files, 'file')}, {size(one.new_bytes)}"


def _figures(done: Sequence[Imported]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the head of a table and its rows; spans are in it where an export tells of any."""
    names = ["calls", "improved", "repeated", "turns"] + ["spans"] * any(one.spans for one in done)
    heads = ("new calls" if name == "calls" else name for name in names)
    rows = [
        (title(one.source), *(f"{getattr(one, name):,}" for name in names))
        for one in done
        if not is_nothing(one)
    ]
    return ("Imported", *(head.capitalize() for head in heads)), rows


def _left_out(done: Iterable[Imported]) -> Iterator[str]:
    for one in done:
        for reason, number in one.skipped.most_common():
            yield from _wrapped(f"{title(one.source)}: {number:,} left out: {reason}", "  ")
        for path, why in list(one.unreadable.items())[:_NAMED]:
            yield from _wrapped(f"{title(one.source)}: not readable: {path}: {why}", "  ")
        if len(one.unreadable) > _NAMED:
            yield f"  {title(one.source)}: and {len(one.unreadable) - _NAMED:,} more not readable"
        if one.unfinished:
            yield from _wrapped(
                f"{title(one.source)}: {_count(one.unfinished, 'file')} with a last line that is "
                "not finished; it is read the next time",
                "  ",
            )


def _cannot_tell(done: Iterable[Imported]) -> Iterator[str]:
    agents = [CODING_AGENTS[one.source] for one in done if one.source in CODING_AGENTS]
    lacking = [one for one in agents if one.lacks]
    if lacking:
        yield ""
        yield "What these logs cannot tell:"
    for one in lacking:
        yield from _wrapped(f"{one.title}: {one.lacks}.", "  ")
        if one.way:
            yield from _wrapped(f"To see it, {one.way}.", "    ")


def _lacks(source: str) -> dict[str, str | None]:
    agent = CODING_AGENTS.get(source)
    return {"lacks": agent.lacks if agent else None, "way": agent.way if agent else None}


def _plain(one: Found | Imported) -> dict[str, Any]:
    """Return the fields of *one* as JSON has them: paths as text."""
    said: dict[str, Any] = {field.name: getattr(one, field.name) for field in fields(one)}
    if "roots" in said:
        said["roots"] = list(map(str, said["roots"]))
    said["unreadable"] = {str(path): why for path, why in one.unreadable.items()}
    return said


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        first, *others = zip(row, widths, strict=True)
        cells = [f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in others)]
        yield "  ".join(cells).rstrip()


def _wrapped(said: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        said,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  " * bool(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
