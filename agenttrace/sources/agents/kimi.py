"""Kimi CLI and Kimi Code: what goes over the wire between agent and screen, in a file each.

``~/.kimi/sessions/<folder>/<session>/wire.jsonl``: {timestamp (seconds), message{type, payload}}
with ``TurnBegin``, ``StatusUpdate`` {token_usage{input_other, input_cache_read,
input_cache_creation, output}, message_id} after each call, and ``SubagentEvent`` {agent_id,
subagent_type, event} around what a sub-agent does. ``subagents/<agent>/wire.jsonl`` beside it, in
versions that have it, holds the same again. Newer:
``~/.kimi-code/sessions/<folder>/<session>/agents/<agent>/wire.jsonl`` with records ``usage.record``
{model, time (milliseconds), usageScope, usage{inputOther, …}}, where the scope ``session`` repeats
sums.

The buckets are exclusive. The older form names no model: the one that the settings have now is told
as the one that was asked for.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from agenttrace.model import Role
from agenttrace.sources import usage
from agenttrace.sources.agents import fields
from agenttrace.sources.source import (
    DOCUMENT_AT_MOST,
    Form,
    Piece,
    Skipped,
    Unreadable,
    User,
    walk,
)
from agenttrace.sources.told import Agent, Call, Record, Turn

_NAME: Final = "kimi"
_PROVIDER: Final = "moonshot_ai"
_MAIN: Final = "main"
_OLD: Final = ("input_other", "output", "input_cache_read", "input_cache_creation")
_NEW: Final = ("inputOther", "output", "inputCacheRead", "inputCacheCreation")
# Records of what is shown and done, without a call.
_SILENT: Final = frozenset(
    {
        "ApprovalRequest",
        "ApprovalRequestResolved",
        "ApprovalResponse",
        "AudioURLPart",
        "ContentPart",
        "HookResolved",
        "HookTriggered",
        "ImageURLPart",
        "MCPLoadingBegin",
        "MCPLoadingEnd",
        "Notification",
        "PlanDisplay",
        "QuestionRequest",
        "QuestionResponse",
        "StepBegin",
        "StepInterrupted",
        "SteerInput",
        "TextPart",
        "ThinkPart",
        "ToolCall",
        "ToolCallPart",
        "ToolCallRequest",
        "ToolResult",
        "TurnEnd",
        "VideoURLPart",
    }
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file is among the others.

    Attributes:
        session: Its session.
        agent: The sub-agent that it is of; None for the session itself.
        folder: The folder of the session.
    """

    session: str
    agent: str | None
    folder: Path


class Kimi:
    """Reads the wire files of Kimi CLI and Kimi Code."""

    name = _NAME
    form: Form = "lines"

    def roots(self, user: User) -> Iterable[Path]:
        """Return where sessions are, in older and newer versions."""
        yield user.folder("KIMI_SHARE_DIR", ".kimi") / "sessions"
        yield user.folder("KIMI_CODE_HOME", ".kimi-code") / "sessions"

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return all wire files."""
        return walk(root, lambda path: path.endswith("wire.jsonl"), unreadable)

    def read(self, piece: Piece) -> Iterable[Record | Skipped]:
        """Yield what new lines tell."""
        wire = _Wire(_place(piece.path), piece.state)
        for line in piece.lines():
            said = fields.decode(line)
            if said is None:
                yield Skipped(fields.NO_JSON)
            else:
                yield from wire.read(said)


def _place(path: Path) -> _Place:
    folder = path.parent
    if folder.parent.name in {"agents", "subagents"}:
        agent = None if folder.name == _MAIN else folder.name
        return _Place(folder.parents[1].name, agent, folder.parents[1])
    return _Place(folder.name, None, folder)


class _Wire:
    """A wire file that is read record by record; its state goes on in the next piece."""

    def __init__(self, place: _Place, state: dict[str, Any]) -> None:
        self._place = place
        self._state = state

    @cached_property
    def _model(self) -> str | None:
        """The model that the settings name."""
        # sessions/<folder>/<session>
        return _configured(self._place.folder.parent.parent.parent)

    @cached_property
    def _turns(self) -> list[int]:
        """When each turn of the session began, for one of its sub-agents."""
        return _turns(self._place.folder)

    @cached_property
    def _kind(self) -> str | None:
        """What kind of sub-agent the file is of."""
        return _kind(self._place)

    def read(self, said: dict[str, Any]) -> Iterator[Record | Skipped]:
        if "message" in said:
            at_ns = fields.moment_ns(said.get("timestamp"))
            yield from self._event(fields.mapping(said.get("message")), at_ns, self._place.agent)
        elif said.get("type") == "usage.record":
            yield from self._recorded(said)
        elif said.get("type") == "turn.prompt":
            self._begin(fields.moment_ns(said.get("time")))
        # The newer form has dozens of other types, none of them with a call.

    def _event(
        self, said: dict[str, Any], at_ns: int | None, agent: str | None, name: str | None = None
    ) -> Iterator[Record | Skipped]:
        payload = fields.mapping(said.get("payload"))
        match said.get("type"):
            case "StatusUpdate":
                yield from self._status(payload, at_ns, agent, name)
            case "SubagentEvent":
                yield from self._nested(payload, at_ns)
            case "TurnBegin" if agent is None:
                self._begin(at_ns)
            case "CompactionBegin" | "CompactionEnd" as kind:
                self._state["compacts"] = kind == "CompactionBegin"
            case "TurnBegin":
                pass
            case kind if kind not in _SILENT:
                yield fields.unknown(kind)
            case _:
                pass

    def _nested(self, said: dict[str, Any], at_ns: int | None) -> Iterator[Record | Skipped]:
        agent = fields.text(said.get("agent_id"))
        agent = agent or fields.text(said.get("parent_tool_call_id"))
        agent = agent or fields.text(said.get("task_tool_call_id")) or "subagent"
        if "/" in agent or (self._place.folder / "subagents" / agent / "wire.jsonl").is_file():
            return  # that file says it, better
        name = fields.text(said.get("subagent_type"))
        yield from self._event(fields.mapping(said.get("event")), at_ns, agent, name)

    def _begin(self, at_ns: int | None) -> None:
        self._state["turn"] = self._state.get("turn", 0) + 1
        self._state["turn_ns"] = at_ns

    def _status(
        self, said: dict[str, Any], at_ns: int | None, agent: str | None, name: str | None
    ) -> Iterator[Record | Skipped]:
        if not said.get("token_usage"):
            return
        counts = fields.mapping(said.get("token_usage"))
        response = fields.text(said.get("message_id"))
        yield from self._call(
            [counts.get(at) for at in _OLD], at_ns, agent, name, response, asked=self._model
        )

    def _recorded(self, said: dict[str, Any]) -> Iterator[Record | Skipped]:
        if said.get("usageScope") != "turn":
            return
        counts = fields.mapping(said.get("usage"))
        model = fields.text(said.get("model"))
        yield from self._call(
            [counts.get(at) for at in _NEW],
            fields.moment_ns(said.get("time")),
            self._place.agent,
            None,
            None,
            model=None if model is None else model.rpartition("/")[2],
        )

    def _call(
        self,
        counts: list[object],
        at_ns: int | None,
        agent: str | None,
        name: str | None,
        response: str | None,
        *,
        model: str | None = None,
        asked: str | None = None,
    ) -> Iterator[Record | Skipped]:
        if at_ns is None:
            yield Skipped("a call without time")
            return
        yield from fields.odd(counts)
        session = self._place.session
        turn, turn_ns = self._turn_at(at_ns)
        name = name or self._kind or "subagent"
        if self._is_new("turn", turn):
            yield Turn(source=_NAME, session=session, turn=turn, start_ns=turn_ns or at_ns)
        if agent is not None and self._is_new("agents", agent):
            yield Agent(
                source=_NAME, session=session, turn=turn, key=agent, start_ns=at_ns, name=name
            )
        given, output, cache_read, cache_write = counts
        spelled = ":".join(map(str, (session, agent or _MAIN, at_ns, *counts)))
        yield Call(
            source=_NAME,
            session=session,
            turn=turn,
            key=response or spelled,
            start_ns=at_ns,
            model=model,
            request_model=asked,
            provider=_PROVIDER,
            response_id=response,
            role=self._role(agent),
            agent=None if agent is None else name,
            agent_key=agent,
            depth=1 if agent is None else 2,
            usage=fields.used(
                usage.beside(given, output, cache_read=cache_read, cache_write=cache_write)
            ),
        )

    def _turn_at(self, at_ns: int) -> tuple[str, int | None]:
        """Return the turn of a call, which a person began, and when."""
        if self._place.agent is None:
            return str(self._state.get("turn", 0)), self._state.get("turn_ns")
        turn = bisect_right(self._turns, at_ns)
        return str(turn), self._turns[turn - 1] if turn else None

    def _is_new(self, kind: str, name: str) -> bool:
        told: list[str] = self._state.setdefault(f"told_{kind}", [])
        if name in told:
            return False
        told.append(name)
        return True

    def _role(self, agent: str | None) -> Role:
        if self._state.get("compacts"):
            return "compaction"
        return "main" if agent is None else "subagent"


def _turns(folder: Path) -> list[int]:
    """Return when each turn of a session began; nothing if that cannot be read."""
    for path in (folder / "wire.jsonl", folder / "agents" / _MAIN / "wire.jsonl"):
        try:
            if path.stat().st_size > DOCUMENT_AT_MOST:
                continue
            lines = path.read_bytes().split(b"\n")
        except OSError:
            continue
        begun = (
            _begun_ns(line) for line in lines if b"TurnBegin" in line or b"turn.prompt" in line
        )
        return sorted(at_ns for at_ns in begun if at_ns is not None)
    return []


def _begun_ns(line: bytes) -> int | None:
    said = fields.decode(line) or {}
    if fields.mapping(said.get("message")).get("type") == "TurnBegin":
        return fields.moment_ns(said.get("timestamp"))
    return fields.moment_ns(said.get("time")) if said.get("type") == "turn.prompt" else None


def _kind(place: _Place) -> str | None:
    """Return what kind of sub-agent a file is of, which stands beside it."""
    if place.agent is None:
        return None
    try:
        said = (place.folder / "subagents" / place.agent / "meta.json").read_bytes()
    except OSError:
        return None
    return fields.text((fields.decode(said) or {}).get("subagent_type"))


def _configured(home: Path) -> str | None:
    """Return the model that the settings name; None if they cannot be read."""
    try:
        said: dict[str, Any] = tomllib.loads((home / "config.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    name = fields.text(said.get("default_model"))
    model = fields.mapping(fields.mapping(said.get("models")).get(name or "")).get("model")
    return fields.text(model) or name


SOURCE: Final = Kimi()
