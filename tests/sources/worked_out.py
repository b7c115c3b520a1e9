"""Corpora with totals worked out by hand, and what a source tells of them."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from msgspec import json as wire

from agenttrace.sources import agents
from agenttrace.sources.source import Piece, Skipped
from agenttrace.sources.told import Agent, Call, Record, Total, Turn
from tests.sources import logs

_SUMS = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")


class Told:
    """What a source tells, each call once as the import has it.

    Attributes:
        calls: In the order of time.
        turns: By session and turn.
        agents: By their key.
        totals: By session; the last of each.
        skipped: By reason.
    """

    def __init__(self, said: Iterable[Record | Skipped | bytes]) -> None:
        calls: dict[str, Call] = {}
        self.turns: dict[tuple[str, str], Turn] = {}
        self.agents: dict[str, Agent] = {}
        self.totals: dict[str, Total] = {}
        self.skipped: Counter[str] = Counter()
        for one in said:
            if isinstance(one, Call):
                before = calls.get(one.key)
                if before is None or _worth(one) > _worth(before):
                    calls[one.key] = one
            elif isinstance(one, Turn):
                self.turns.setdefault((one.session, one.turn), one)
            elif isinstance(one, Agent):
                self.agents[one.key] = one
            elif isinstance(one, Total):
                self.totals[one.session] = one
            elif isinstance(one, Skipped):
                self.skipped[one.reason] += one.number
        self.calls = sorted(calls.values(), key=lambda call: (call.start_ns, call.key))

    def sums(self) -> dict[str, int | None]:
        """Tasks, calls, and tokens that are known of any call."""
        sums: dict[str, int | None] = {"tasks": len(self.turns), "calls": len(self.calls)}
        for name in _SUMS:
            known = [one for call in self.calls if (one := getattr(call.usage, name)) is not None]
            sums[name] = sum(known) if known else None
        return sums


def _worth(call: Call) -> int:
    return (call.usage.output_tokens or 0) if call.worth is None else call.worth


def by_hand(name: str) -> dict[str, dict[str, Any]]:
    """The totals that were worked out beside a corpus, by trap."""
    return cast(
        "dict[str, dict[str, Any]]", json.loads((logs.CORPORA / name / "totals.json").read_text())
    )


def told(name: str, trap: str) -> Told:
    """What a source tells of the files of a trap."""
    source, said = agents.source(name), list[Record | Skipped | bytes]()
    for path in source.find(logs.CORPORA / name / trap, _readable):
        said += source.read(Piece(path, path.read_bytes(), is_first=True, state={}))
    return Told(said)


def check(name: str, trap: str) -> None:
    """Hold what a source tells against what was worked out by hand."""
    expected = {key: value for key, value in by_hand(name)[trap].items() if key != "why"}
    sums = told(name, trap).sums()
    assert {key: sums[key] for key in expected} == expected


def in_parts(name: str, path: Path, lines: Sequence[bytes], ends: Iterable[int]) -> Told:
    """What a source tells of lines that it is given in parts, which end at *ends*."""
    source, said = agents.source(name), list[Record | Skipped | bytes]()
    state: dict[str, Any] = {}
    begin = 0
    for end in [*sorted(end % (len(lines) + 1) for end in ends), len(lines)]:
        part = Piece(path, b"".join(lines[begin:end]), begin == 0, state)
        if part.text:
            said += source.read(part)
            state = wire.decode(wire.encode(part.state))
            begin = end
    return Told(said)


def _readable(path: Path, why: str) -> None:
    raise AssertionError(path, why)
