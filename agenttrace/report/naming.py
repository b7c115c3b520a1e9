"""Say that a name which was asked for is nowhere in what was recorded."""

from difflib import get_close_matches
from typing import Final

from agenttrace.errors import ConfigError
from agenttrace.reader import Reader
from agenttrace.report.rows import printable
from agenttrace.report.selection import Selection, selected

_NAMED: Final = 5

_NAMES: Final = {
    "project": "SELECT DISTINCT project AS name FROM task_workload",
    "task_name": "SELECT DISTINCT task_name AS name FROM task_workload",
    "agent": "SELECT DISTINCT agent AS name FROM call_rollup",
}
_WORDS: Final = {"project": "project", "task_name": "task", "agent": "agent"}


def check(reader: Reader, selection: Selection) -> None:
    """Raise where *selection* asks for a name that nothing was ever recorded of.

    It reads all names, so ask where nothing was found, and outside of a selection. An empty store
    has no names, and that is said by whoever finds it empty.

    Raises:
        ConfigError: There is no such project, task or agent; with the names that are close.
    """
    for field, query in _NAMES.items():
        said = getattr(selection, field)
        if said is None:
            continue
        with selected(reader, Selection()):
            rows = reader.query(query)
        names = sorted(row["name"] for row in rows if row["name"] is not None)
        if rows and said not in names:
            raise ConfigError(_unknown(_WORDS[field], said, names))


def _unknown(what: str, said: str, names: list[str]) -> str:
    nothing = f"no {what} {printable(said)!r} is recorded."
    if close := get_close_matches(said, names, cutoff=0.5):
        return f"{nothing} Did you mean {_listed(close)}?"
    more = f", and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{nothing} Known: {_listed(names[:_NAMED]) or 'none'}{more}."


def _listed(names: list[str]) -> str:
    return ", ".join(repr(printable(name)) for name in names)
