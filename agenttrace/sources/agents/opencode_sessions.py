"""Sessions of OpenCode: which one started which, and what prompts they were given."""

import glob
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from agenttrace.sources.agents import fields

_FIRST: Final = "start"  # the turn before the first prompt
_INFOS_AT_MOST: Final = 1 << 16  # bytes of what a file says of a session


@dataclass(frozen=True, slots=True)
class Session:
    """What is known of a session.

    Attributes:
        key: Its id.
        parent: The session that started it.
        start_ns: When it began.
        project: Folder that it works in.
    """

    key: str
    parent: str | None = None
    start_ns: int | None = None
    project: str | None = None


class Sessions(Protocol):
    """Where sessions are looked up."""

    def session(self, key: str) -> Session:
        """Return what is known of a session."""
        ...

    def prompts(self, session: str) -> list[tuple[int, str]]:
        """Return when each prompt of a session was given, and its id, in their order."""
        ...

    def is_new(self, *names: str) -> bool:
        """Whether this is the first time that these names are asked for."""
        ...

    def is_copy(self, key: str, said: dict[str, Any]) -> bool:
        """Whether a message that is older than its session is another one's copy."""
        ...


class Rows:
    """Sessions of a database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        """Know what the table of sessions has."""
        self._database = database
        self._prompts: dict[str, list[tuple[int, str]]] = {}
        self._told: set[tuple[str, ...]] = set()
        self._firsts: dict[tuple[Any, ...], str] = {}
        self._sessions = {
            str(one.get("id")): Session(
                str(one.get("id")),
                fields.text(one.get("parent_id")),
                fields.moment_ns(one.get("time_created")),
                fields.folder(one.get("directory")),
            )
            for one in self._rows("SELECT * FROM session")
        }

    def session(self, key: str) -> Session:
        """Return what is known of a session."""
        return self._sessions.get(key) or Session(key)

    def prompts(self, session: str) -> list[tuple[int, str]]:
        """Return when each prompt of a session was given, and its id, in their order."""
        if session not in self._prompts:
            rows = self._rows("SELECT id, data FROM message WHERE session_id = ?", session)
            self._prompts[session] = sorted(_prompts(rows))
        return self._prompts[session]

    def is_new(self, *names: str) -> bool:
        """Whether this is the first time that these names are asked for."""
        return _is_new(self._told, names)

    def is_copy(self, key: str, said: dict[str, Any]) -> bool:
        """Whether a message that is older than its session is another one's copy."""
        # Only where there are forks is everything looked through, once; copies have later rows.
        if not self._firsts:
            for row in self._rows("SELECT id, data FROM message ORDER BY rowid"):
                data = row["data"]
                other = fields.decode(data) if isinstance(data, (str, bytes)) else None
                if other is not None:
                    self._firsts.setdefault(_signature(other), str(row["id"]))
        return self._firsts.get(_signature(said), key) != key

    def _rows(self, query: str, *values: str) -> Iterator[dict[str, Any]]:
        try:
            for row in self._database.execute(query, values):
                yield dict(zip(row.keys(), row, strict=True))
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise


def _prompts(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    for row in rows:
        data = row["data"]
        said = fields.decode(data) if isinstance(data, (str, bytes)) else None
        if said is not None and said.get("role") == "user":
            at_ns = fields.moment_ns(fields.mapping(said.get("time")).get("created"))
            if at_ns is not None:
                yield at_ns, str(row["id"])


def _signature(said: dict[str, Any]) -> tuple[Any, ...]:
    """Return what the copies of a message have in common."""
    times = fields.mapping(said.get("time"))
    shown = (times.get("created"), times.get("completed"), said.get("modelID"))
    return tuple(map(str, (*shown, *counts(fields.mapping(said.get("tokens"))))))


def _is_new(told: set[tuple[str, ...]], names: tuple[str, ...]) -> bool:
    before = len(told)
    told.add(names)
    return len(told) > before


def last_before(prompts: list[tuple[int, str]], at_ns: int) -> tuple[str, int | None]:
    """Return the last prompt up to a time, else the first one, and when it was given."""
    at = bisect_right(prompts, at_ns, key=lambda one: one[0])
    if not prompts:
        return _FIRST, None
    start_ns, key = prompts[max(at - 1, 0)]
    return key, start_ns


class Files:
    """Sessions of a folder ``storage``."""

    def __init__(self, storage: Path) -> None:
        """Know nothing yet."""
        self._storage = storage
        self._sessions: dict[str, Session] = {}
        self._prompts: dict[str, list[tuple[int, str]]] = {}
        self._told: set[tuple[str, ...]] = set()

    def session(self, key: str) -> Session:
        """Return what is known of a session."""
        if key not in self._sessions:
            said = self._info(key)
            self._sessions[key] = Session(
                key,
                fields.text(said.get("parentID")),
                fields.moment_ns(fields.mapping(said.get("time")).get("created")),
                fields.folder(said.get("directory")),
            )
        return self._sessions[key]

    def prompts(self, session: str) -> list[tuple[int, str]]:
        """Return when each prompt of a session was given, and its id, in their order."""
        if session not in self._prompts:
            folder = self._storage / "message" / session
            rows = ({"id": one.stem, "data": _start_of(one)} for one in folder.glob("*.json"))
            self._prompts[session] = sorted(_prompts(rows))
        return self._prompts[session]

    def is_new(self, *names: str) -> bool:
        """Whether this is the first time that these names are asked for."""
        return _is_new(self._told, names)

    def is_copy(self, key: str, said: dict[str, Any]) -> bool:  # noqa: ARG002 - nobody else asks
        """Whether a message that is older than its session is another one's copy: taken for one."""
        return True  # to look for the other one would be to read all files for each

    def _info(self, key: str) -> dict[str, Any]:
        for path in self._storage.glob(f"session/*/{glob.escape(key)}.json"):
            return fields.decode(_start_of(path)) or {}
        return {}


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_INFOS_AT_MOST)
    except OSError:
        return b""


def counts(tokens: dict[str, Any]) -> tuple[object, ...]:
    """Return input, output, cache read, cache write and reasoning."""
    cache = fields.mapping(tokens.get("cache"))
    return (
        tokens.get("input"),
        tokens.get("output"),
        cache.get("read"),
        cache.get("write"),
        tokens.get("reasoning"),
    )
