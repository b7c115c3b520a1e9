"""Sources for tests: logs as simple as they can be."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from agenttrace.sources import agents
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Call, Record, Turn
from agenttrace.sources.usage import inside
from tests.builders import SECOND_NS, START_NS


class Plain:
    """A source of lines like ``{"agent": NAME, "id": "m1", "out": 5}``, in ``~/.NAME``."""

    form: Form = "lines"

    def __init__(self, name: str) -> None:
        self.name = name

    def roots(self, user: User) -> Iterable[Path]:
        return [user.home / f".{self.name}"]

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        return walk(root, lambda path: path.endswith(".jsonl"), unreadable)

    def read(self, piece: Piece) -> Iterable[Record | Skipped | bytes]:
        begun = not piece.is_first
        for line in piece.lines():
            said = json.loads(line)
            if said.get("agent") != self.name:
                yield Skipped("a record of another agent")
                continue
            if not begun:
                yield Turn(source=self.name, session="s", turn="1", start_ns=START_NS)
                begun = True
            yield self.told(said["id"], said["out"])

    def told(self, key: str, output: int) -> Call:
        """Return what a line tells."""
        return Call(
            source=self.name,
            session="s",
            turn="1",
            key=key,
            start_ns=START_NS + SECOND_NS,
            response_id=key,
            usage=inside(100, output),
        )


def call(agent: str, key: str, output: int = 5) -> str:
    """Return a line of a log."""
    return json.dumps({"agent": agent, "id": key, "out": output}) + "\n"


def install(patch: pytest.MonkeyPatch, *names: str) -> None:
    """Have sources of these *names*, and no others."""
    known = {name: Plain(name) for name in names}
    patch.setattr(agents, "NAMES", names)
    patch.setattr(agents, "source", known.__getitem__)
