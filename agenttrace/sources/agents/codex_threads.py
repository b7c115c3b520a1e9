"""Threads of Codex: what a rollout says of itself, and where the calls in it belong.

One rollout is one thread: a session, or a sub-agent of one, whose calls belong to the turn of the
session in which it was started.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from agenttrace.model import Role
from agenttrace.sources.agents import codex_lines as lines
from agenttrace.sources.agents import fields
from agenttrace.sources.agents.codex_lines import Line
from agenttrace.sources.source import Skipped
from agenttrace.sources.told import Turn

NAME: Final = "codex"
SESSIONS: Final = "sessions"
ARCHIVED: Final = "archived_sessions"
FOLLOWED: Final = {lines.META, lines.CONTEXT, lines.STARTED, lines.PROMPT}
"""Lines that tell of the thread itself, and of no call."""

_ROLES: Final[dict[str, Role]] = {"compact": "compaction", "guardian": "guard"}
_REPLAY_NS: Final = 10**9  # the history of the parent is written at once
_DEEPEST: Final = 16
_ID: Final = re.compile(r"[\w-]{8,64}")


class Place(msgspec.Struct, frozen=True):
    """Where the calls of a thread belong: in the session that it is, or is a sub-agent of."""

    session: str
    turn: str
    agent: str | None = None
    agent_key: str | None = None
    parent_key: str | None = None
    depth: int = 1


class Told(msgspec.Struct, frozen=True):
    """The call that was told last, for what comes after it may say more of it."""

    key: str
    at_ns: int
    turn: str
    model: str | None
    counts: dict[str, Any]
    response_id: str | None = None


class Thread(msgspec.Struct):
    """What is known of a thread so far; kept between increments.

    Attributes:
        id: Its id; the name of the file where none is said.
        begun_ns: When its file begins.
        parent: Thread that it is a sub-agent of.
        is_agent: It is a sub-agent.
        is_copy: It begins with the history of another thread.
        name: What kind of sub-agent it is.
        role: Of its calls.
        project: Folder that it works in.
        branch: Of its repository.
        provider: Who is asked.
        model: Model of the turn.
        turn: The turn under way.
        turns: Turns so far.
        names_turns: Its turns have ids of their own.
        has_copy: The history of the other thread is there indeed.
        copied_turn: Turn of the parent, as the copied history has it last.
        root: Session that a sub-agent is in, as its records have it.
        root_turn: Turn of that session, likewise.
        total: Cumulative counts so far.
        seed: The part of them that another thread used.
        has_records: Calls are told by records, which say more than the counts.
        last: The call that was told last in this turn.
        place: Where a sub-agent's calls belong, once that was looked up.
    """

    id: str = ""
    begun_ns: int | None = None
    parent: str | None = None
    is_agent: bool = False
    is_copy: bool = False
    name: str = "subagent"
    role: Role = "main"
    project: str | None = None
    branch: str | None = None
    provider: str | None = None
    model: str | None = None
    turn: str | None = None
    turns: int = 0
    names_turns: bool = False
    has_copy: bool = False
    copied_turn: str | None = None
    root: str | None = None
    root_turn: str | None = None
    total: dict[str, Any] | None = None
    seed: dict[str, Any] | None = None
    has_records: bool = False
    last: Told | None = None
    place: Place | None = None

    def is_replayed(self, line: Line) -> bool:
        """Whether a line was copied from the thread that this one came of."""
        begun_ns, at_ns = self.begun_ns, line.at_ns
        if line.kind == lines.RECORD and line.payload.thread_id and self.provider is not None:
            return line.payload.thread_id != self.id
        return (
            self.is_copy
            and begun_ns is not None
            and at_ns is not None
            and at_ns - begun_ns < _REPLAY_NS
        )


def follow(thread: Thread, line: Line) -> Iterator[Turn]:
    """Note what a line tells of *thread*; yield the turn that it begins."""
    if line.kind == lines.META:
        _meta(thread, line)
    elif thread.is_replayed(line):
        _copied(thread, line)
    else:
        yield from _turn(thread, line)


def _meta(thread: Thread, line: Line) -> None:
    said = line.payload
    if thread.provider is not None:
        # A copied history brings the session_meta of the other thread along.
        thread.has_copy |= fields.identifier(said.id) != thread.id
        return
    thread.id = fields.identifier(said.id) or thread.id
    thread.project = fields.folder(said.cwd)
    thread.branch = fields.text(fields.mapping(said.git).get("branch"))
    thread.provider = fields.provider(said.model_provider) or "openai"
    thread.model = fields.text(said.model) or thread.model
    _lineage(thread, line)


def _lineage(thread: Thread, line: Line) -> None:
    said = line.payload
    started_by = fields.mapping(said.source).get("subagent")
    spawn = fields.mapping(fields.mapping(started_by).get("thread_spawn"))
    thread.is_agent = started_by is not None
    thread.parent = fields.identifier(spawn.get("parent_thread_id")) or fields.identifier(
        said.parent_thread_id
    )
    forked = fields.identifier(said.forked_from_id)
    thread.is_copy = bool(spawn) or forked is not None
    if thread.is_agent:
        thread.parent = thread.parent or forked
        thread.name = _agent_name(line, started_by, spawn)
        thread.role = _ROLES.get(thread.name, "subagent")


def _agent_name(line: Line, started_by: object, spawn: dict[str, Any]) -> str:
    names = (
        spawn.get("agent_role"),
        line.payload.agent_role,
        spawn.get("agent_nickname"),
        line.payload.agent_nickname,
        fields.mapping(started_by).get("other"),
        started_by,
    )
    return next(filter(None, map(fields.text, names)), "subagent")


def _copied(thread: Thread, line: Line) -> None:
    """Note what holds until the thread says it of itself, which it does after the copy."""
    thread.model = fields.text(line.payload.model) or thread.model
    if thread.has_copy:
        thread.copied_turn = fields.identifier(line.payload.turn_id) or thread.copied_turn


def _turn(thread: Thread, line: Line) -> Iterator[Turn]:
    said = line.payload
    if line.kind == lines.CONTEXT:
        thread.model = fields.text(said.model) or thread.model
        thread.project = fields.folder(said.cwd) or thread.project
    name = fields.identifier(said.turn_id)
    thread.names_turns |= name is not None
    if line.kind == lines.PROMPT and not thread.names_turns:
        name = str(thread.turns + 1)  # Old rollouts name no turns; each prompt is one.
    if name is None or name == thread.turn:
        return
    thread.turn, thread.turns, thread.last = name, thread.turns + 1, None
    if not thread.is_agent and line.at_ns is not None:
        yield turn_of(thread, name, line.at_ns)


def turn_of(thread: Thread, turn: str, at_ns: int, prompts: int = 1) -> Turn:
    """Return the task of a turn of a thread."""
    place = thread.place
    return Turn(
        source=NAME,
        session=place.session if place else thread.id,
        turn=turn,
        start_ns=at_ns,
        project=thread.project,
        branch=thread.branch,
        prompts=prompts,
    )


def place_in(thread: Thread, path: Path, turn: str | None) -> Place:
    """Return where calls of a turn of a thread belong."""
    if thread.is_agent:
        place = thread.place or place_of(thread, path)
        return msgspec.structs.replace(place, turn=turn or place.turn)
    return Place(thread.id, turn or "1")


def place_of(thread: Thread, path: Path, seen: int = 0) -> Place:
    """Return where a sub-agent belongs: as its parent's rollout has it, else as far as it says."""
    parent = _parent(thread, path) if seen < _DEEPEST else None
    inner = Place(
        thread.root or thread.parent or thread.id,
        thread.root_turn or thread.copied_turn or thread.id,
    )
    if parent is not None and parent.is_agent:
        inner = place_of(parent, path, seen + 1)
    elif parent is not None:
        turn = thread.root_turn or parent.turn or thread.copied_turn or thread.id
        inner = Place(parent.id, turn)
    return Place(
        inner.session, inner.turn, thread.name, thread.id, inner.agent_key, inner.depth + 1
    )


def _parent(thread: Thread, path: Path) -> Thread | None:
    """Return what was known of the parent when the sub-agent began; None if it has no rollout."""
    if thread.parent is None or thread.parent == thread.id or not _ID.fullmatch(thread.parent):
        return None
    at = next(_rollouts(path, thread.parent), None)
    if at is None:
        return None
    known = Thread(id=thread.parent)
    try:
        # Line by line: it may be large, and what came after the sub-agent began is not looked at.
        with at.open("rb") as text:
            _follow_until(known, lines.of(filter(None, map(bytes.rstrip, text))), thread.begun_ns)
    except OSError:
        return None
    return known


def _follow_until(known: Thread, said: Iterator[Line | Skipped], until_ns: int | None) -> None:
    for line in said:
        if isinstance(line, Skipped):
            continue
        if until_ns is not None and line.at_ns is not None and line.at_ns > until_ns:
            return
        if known.begun_ns is None:
            known.begun_ns = line.at_ns
        if line.kind in FOLLOWED:
            list(follow(known, line))


def _rollouts(path: Path, thread: str) -> Iterator[Path]:
    name = f"rollout-*{thread}.jsonl"
    yield from path.parent.glob(name)  # Most of them were started the same day.
    for folder in path.parents:
        if folder.name in {SESSIONS, ARCHIVED}:
            for other in folders(folder.parent):
                yield from other.rglob(name)
            return


def folders(root: Path) -> list[Path]:
    """Return the folders of rollouts in the home of Codex, that of active ones first."""
    return [root / one for one in (SESSIONS, ARCHIVED) if (root / one).is_dir()]
