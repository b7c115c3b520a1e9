"""OpenClaw: transcripts as pi writes them, in files, and in a database for each agent later on.

``~/.openclaw/agents/<agent>/sessions/<session>.jsonl``, with endings such as ``.reset.<time>`` and
``.deleted.<time>`` once they are set aside; ``agents/<agent>/agent/openclaw-agent.sqlite`` with one
row of ``transcript_events`` {session_id, seq, event_json} for each record. What was moved from
files to the database is in both, and is one call.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from agenttrace.sources import databases
from agenttrace.sources.agents.pi import Pi, Transcript
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Record

_DATABASE: Final = "openclaw-agent.sqlite"
_EVENTS: Final = """
SELECT seq, event_json FROM transcript_events WHERE session_id = ? AND seq > ? ORDER BY seq
"""


class OpenClaw(Pi):
    """Reads the transcripts of OpenClaw."""

    name = "openclaw"

    def roots(self, user: User) -> Iterable[Path]:
        """Return where its agents are, under its names so far."""
        if said := user.variables.get("OPENCLAW_STATE_DIR"):
            yield Path(said).expanduser() / "agents"
        for folder in (".openclaw", ".clawdbot", ".moltbot"):
            yield user.home / folder / "agents"

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return all transcripts, those set aside included, and databases."""
        return walk(root, _is_ours, unreadable)

    def form_of(self, path: Path) -> Form:
        """Return how a file is read."""
        return "database" if path.suffix == ".sqlite" else "lines"

    def read(self, piece: Piece) -> Iterable[Record | Skipped]:
        """Yield what is new."""
        if self.form_of(piece.path) == "lines":
            yield from super().read(piece)
            return
        with databases.opened(piece.path) as database:
            for (session,) in database.execute("SELECT DISTINCT session_id FROM transcript_events"):
                yield from _events(database, str(session), piece.state)


def _is_ours(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return name == _DATABASE or (".jsonl" in name and folder.endswith("sessions"))


def _events(
    database: sqlite3.Connection, session: str, states: dict[str, Any]
) -> Iterator[Record | Skipped]:
    """Yield what is new of a session; each has a state of its own, with the last row read."""
    state: dict[str, Any] = states.setdefault(session, {"seq": -1})
    transcript = Transcript("openclaw", session, state)
    for seq, event in database.execute(_EVENTS, (session, state["seq"])).fetchall():
        yield from transcript.read(event if isinstance(event, (str, bytes)) else b"")
        state["seq"] = seq


SOURCE: Final = OpenClaw()
