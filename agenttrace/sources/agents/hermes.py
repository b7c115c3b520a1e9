"""Hermes: a database of sessions, each with the tokens that it has used so far.

``~/.hermes/state.db`` and one for each profile, table ``sessions``. The input excludes the cache;
the reasoning is a part of the output. A session that another one started is a row of its own.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from agenttrace.sources import databases, usage
from agenttrace.sources.agents import fields, sessions
from agenttrace.sources.agents.folders import names
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User
from agenttrace.sources.told import Record

_NAME: Final = "hermes"
_DATABASE: Final = "state.db"
_COUNTS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


class Hermes:
    """Reads the databases of Hermes."""

    name = _NAME
    form: Form = "database"

    def roots(self, user: User) -> Iterable[Path]:
        """Return its home folder."""
        return [user.folder("HERMES_HOME", ".hermes")]

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return its database, and those of its profiles; its programs are beside them."""
        if root.is_file():
            return [root]
        profiles = root / "profiles"
        folders = [root, *(profiles / name for name in names(profiles, unreadable))]
        return [folder / _DATABASE for folder in folders if _DATABASE in names(folder, unreadable)]

    def read(self, piece: Piece) -> Iterable[Record | Skipped]:
        """Yield every session: each is a row that grows."""
        with databases.opened(piece.path) as database:
            for row in database.execute("SELECT * FROM sessions"):
                yield from _session(row)


def _session(row: sqlite3.Row) -> Iterator[Record | Skipped]:
    said = dict(zip(row.keys(), row, strict=True))
    session = fields.identifier(said.get("id"))
    start_ns = fields.moment_ns(said.get("started_at"))
    if session is None or start_ns is None:
        yield Skipped("a session without id or time")
        return
    given, output, cache_read, cache_write, reasoning = counts = [said.get(at) for at in _COUNTS]
    yield from fields.odd(counts)
    used = fields.used(
        usage.beside(
            given, output, cache_read=cache_read, cache_write=cache_write, reasoning=reasoning
        )
    )
    if used.state == "missing":
        return
    yield from sessions.whole(
        _NAME,
        session,
        start_ns=start_ns,
        at_ns=fields.moment_ns(said.get("ended_at")) or start_ns,
        usage=used,
        model=fields.text(said.get("model")),
        provider=fields.provider(said.get("billing_provider")),
        cost_usd=_cost_usd(said),
        project=fields.folder(said.get("cwd")),
    )


def _cost_usd(said: dict[str, object]) -> float | None:
    """Return what it cost; what is only estimated is left out, as prices are ours to look up."""
    return fields.cost_usd(said.get("actual_cost_usd"))


SOURCE: Final = Hermes()
