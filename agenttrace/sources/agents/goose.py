"""Goose: a database of sessions, each with the tokens that it has used so far.

``…/goose/sessions/sessions.db``, table ``sessions``: ``accumulated_{input,output,total}_tokens``
are of the session; ``input_tokens`` and ``output_tokens`` beside them are of its last call alone.
The input includes what was read from a cache. A total above input and output is thought (Gemini's,
which stands beside the output).
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from agenttrace.model import TokenUsage
from agenttrace.sources import databases, usage
from agenttrace.sources.agents import fields, sessions
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Record

_NAME: Final = "goose"


class Goose:
    """Reads the database of Goose."""

    name = _NAME
    form: Form = "database"

    def roots(self, user: User) -> Iterable[Path]:
        """Return where Goose keeps its sessions on this platform."""
        if said := user.variables.get("GOOSE_PATH_ROOT"):
            yield Path(said).expanduser() / "data" / "sessions"
        yield user.data / "goose" / "sessions"
        if user.platform == "darwin":
            support = user.home / "Library" / "Application Support"
            yield support / "Block" / "goose" / "sessions"

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return its databases."""
        return walk(root, lambda path: path == "sessions.db", unreadable)

    def read(self, piece: Piece) -> Iterable[Record | Skipped]:
        """Yield every session: each is a row that grows."""
        with databases.opened(piece.path) as database:
            for row in database.execute("SELECT * FROM sessions"):
                yield from _session(row)


def _session(row: sqlite3.Row) -> Iterator[Record | Skipped]:
    said = dict(zip(row.keys(), row, strict=True))
    session = fields.identifier(said.get("id"))
    start_ns = fields.moment_ns(said.get("created_at"))
    if session is None or start_ns is None:
        yield Skipped("a session without id or time")
        return
    counts = [said.get(f"accumulated_{kind}_tokens") for kind in ("input", "output", "total")]
    yield from fields.odd(counts)
    used = _usage(*counts)
    if used.state == "missing":
        return
    config = fields.decode(said.get("model_config_json") or "") or {}
    yield from sessions.whole(
        _NAME,
        session,
        start_ns=start_ns,
        at_ns=fields.moment_ns(said.get("updated_at")) or start_ns,
        usage=used,
        model=fields.text(config.get("model_name")),
        provider=fields.provider(said.get("provider_name")),
        cost_usd=fields.cost_usd(said.get("accumulated_cost")),
        project=fields.folder(said.get("working_dir")),
    )


def _usage(given: object, output: object, total: object) -> TokenUsage:
    read, written, all_of_it = usage.count(given), usage.count(output), usage.count(total)
    if read is None or written is None or all_of_it is None or all_of_it <= read + written:
        return fields.used(usage.inside(read, written))
    thought = all_of_it - read - written
    return usage.inside(read, written + thought, reasoning=thought)


SOURCE: Final = Goose()
