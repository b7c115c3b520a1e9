"""Read what a coding agent says in its result that it has used.

Only counts, models and ids are decoded. What was said stands in the same lines and is not looked
at; the lines go on as they came.
"""

import time
from collections.abc import Sequence
from typing import Final

import msgspec

from agenttrace.sources import usage
from agenttrace.sources.told import Total

LINE_AT_MOST: Final = 16 * 1024 * 1024
"""Bytes of a line that is looked at; a longer one says too much beside the counts."""

_PRINTING: Final = frozenset({"-p", "--print"})
_FORMATS: Final = frozenset({"json", "stream-json"})


class _Model(msgspec.Struct, rename="camel"):
    """Of one model, in Claude Code's modelUsage; its input excludes the cache."""

    input_tokens: object = None
    output_tokens: object = None
    cache_read_input_tokens: object = None
    cache_creation_input_tokens: object = None
    thinking_tokens: object = None
    cost_usd: object = msgspec.field(name="costUSD", default=None)


class _Usage(msgspec.Struct):
    """Of a turn, in Codex; its input includes the cache, its output the reasoning."""

    input_tokens: object = None
    cached_input_tokens: object = None
    cache_write_input_tokens: object = None
    output_tokens: object = None
    reasoning_output_tokens: object = None


class _Line(msgspec.Struct):
    type: object = None
    session_id: object = None
    thread_id: object = None
    model_usage: dict[str, _Model] | None = msgspec.field(name="modelUsage", default=None)
    usage: _Usage | None = None


_one: Final = msgspec.json.Decoder(_Line)
_several: Final = msgspec.json.Decoder(list[_Line])


def is_told(agent: str | None, command: Sequence[str]) -> bool:
    """Whether *command* asks its agent for a result as JSON."""
    match agent:
        case "claude-code":
            return bool(_PRINTING.intersection(command)) and _format(command) in _FORMATS
        case "codex":
            return "--json" in command and ("exec" in command or "e" in command)
        case _:
            return False


class Results:
    """What the lines of one run have said so far.

    Attributes:
        session: The agent's id of its session, where it said one.
    """

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._totals: dict[str | None, Total] = {}
        self.session: str | None = None

    @property
    def totals(self) -> tuple[Total, ...]:
        """What the session has used, by model; or all together, where nothing says by which."""
        return tuple(self._totals.values())

    def take(self, line: bytes) -> None:
        """Take a line of the output; what is no result is let go."""
        for said in _decoded(line):
            self._take(said)

    def _take(self, said: _Line) -> None:
        for named in (said.session_id, said.thread_id):
            if isinstance(named, str):
                self.session = named
        if self._agent == "claude-code" and said.type == "result":
            for model, one in (said.model_usage or {}).items():
                self._note(_claude(self.session or "", model, one))
        if self._agent == "codex" and said.type == "turn.completed" and said.usage:
            self._note(_codex(self.session or "", said.usage))

    def _note(self, total: Total) -> None:
        """Keep what is the most: counts of a session only grow."""
        before = self._totals.get(total.model)
        if before is None or _size(total) >= _size(before):
            self._totals[total.model] = total


def _decoded(line: bytes) -> list[_Line]:
    text = line.strip()
    if len(text) > LINE_AT_MOST:
        return []
    try:
        if text.startswith(b"["):
            return _several.decode(text)
        return [_one.decode(text)] if text.startswith(b"{") else []
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return []


def _claude(session: str, model: str, said: _Model) -> Total:
    found = usage.beside(
        said.input_tokens,
        said.output_tokens,
        cache_read=said.cache_read_input_tokens,
        cache_write=said.cache_creation_input_tokens,
        reasoning=said.thinking_tokens,
    )
    cost = said.cost_usd
    return Total(
        source="claude-code",
        session=session,
        at_ns=time.time_ns(),
        model=model,
        usage=found,
        cost_usd=float(cost) if isinstance(cost, int | float) and cost >= 0 else None,
        capture="result",
    )


def _codex(session: str, said: _Usage) -> Total:
    found = usage.inside(
        said.input_tokens,
        said.output_tokens,
        cache_read=said.cached_input_tokens,
        cache_write=said.cache_write_input_tokens,
        reasoning=said.reasoning_output_tokens,
    )
    return Total(
        source="codex", session=session, at_ns=time.time_ns(), usage=found, capture="result"
    )


def _size(total: Total) -> int:
    return (total.usage.input_tokens or 0) + (total.usage.output_tokens or 0)


def _format(command: Sequence[str]) -> str | None:
    for place, word in enumerate(command):
        if word.startswith("--output-format="):
            return word.partition("=")[2]
        if word == "--output-format" and place + 1 < len(command):
            return command[place + 1]
    return None
