"""Rollouts of Codex: ``sessions/YYYY/MM/DD/rollout-*.jsonl`` and ``archived_sessions/``.

One file is one thread: a session, or a sub-agent of one. A call is a ``token_usage_record`` where
there are any (about 0.151 on), else a ``token_count`` that moved the cumulative counts.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any, Final

import msgspec

from agenttrace.model import Role, TokenUsage
from agenttrace.sources.agents import codex_lines as lines
from agenttrace.sources.agents import fields
from agenttrace.sources.agents.codex_lines import Line
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Agent, Call, Record, Total, Turn

_NAME: Final = "codex"
_SESSIONS, _ARCHIVED = "sessions", "archived_sessions"
_REVIEWER: Final = "codex-auto-review"  # no model, but the alias that the guardian asks for
_ROLES: Final[dict[str, Role]] = {"compact": "compaction", "guardian": "guard"}
_REPLAY_NS: Final = 10**9  # the history of the parent is written at once
_DEEPEST: Final = 16
_ID: Final = re.compile(r"[\w-]{8,64}")

Said = Generator[Record | Skipped, None, None]


class _Place(msgspec.Struct, frozen=True):
    """Where the calls of a thread belong: in the session that it is, or is a sub-agent of."""

    session: str
    turn: str
    agent: str | None = None
    agent_key: str | None = None
    parent_key: str | None = None
    depth: int = 1


class _Told(msgspec.Struct, frozen=True):
    """The call that was told last, for what comes after it may say more of it."""

    key: str
    at_ns: int
    turn: str
    model: str | None
    counts: dict[str, Any]
    response_id: str | None = None


class _Thread(msgspec.Struct):
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
    last: _Told | None = None
    place: _Place | None = None

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


class Codex:
    """The source."""

    name = _NAME
    form: Form = "lines"

    def roots(self, user: User) -> Iterable[Path]:
        """Return the folders of rollouts."""
        home = user.folder("CODEX_HOME", ".codex")
        # One root, so that a session in both of its folders can be told.
        return [home]

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Yield the rollouts; of two with one relative path, the active one."""
        if root.is_file() or not _folders(root):
            yield from walk(root, _is_rollout, unreadable)
            return
        active: set[str] = set()
        for folder in _folders(root):
            for path in walk(folder, _is_rollout, unreadable):
                relative = path.relative_to(folder).as_posix()
                if relative not in active:
                    active.add(relative)
                    yield path

    def read(self, piece: Piece) -> Said:
        """Yield what *piece* tells."""
        thread = msgspec.convert(piece.state, _Thread)
        if piece.is_first:
            thread.id = piece.path.stem
        said: Record | None = None
        for line in lines.of(piece.lines()):
            if isinstance(line, Skipped):
                yield line
                continue
            for one in _told(thread, line, piece.path):
                if isinstance(one, Total):
                    said = one
                else:
                    yield one
        if said is not None:
            yield said  # Each says all that those before it said.
        piece.state.update(msgspec.to_builtins(thread))


SOURCE: Final = Codex()


def _folders(root: Path) -> list[Path]:
    return [root / one for one in (_SESSIONS, _ARCHIVED) if (root / one).is_dir()]


def _is_rollout(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("rollout-") and name.endswith(".jsonl")


def _told(thread: _Thread, line: Line, path: Path) -> Said:
    if thread.begun_ns is None:
        thread.begun_ns = line.at_ns
    is_replayed = thread.is_replayed(line)
    match line.kind:
        case lines.META:
            _meta(thread, line)
        case lines.CONTEXT | lines.STARTED | lines.PROMPT if is_replayed:
            _copied(thread, line)
        case lines.CONTEXT | lines.STARTED | lines.PROMPT:
            yield from _turn(thread, line)
        case lines.COUNT:
            yield from _count(thread, line, path, is_replayed=is_replayed)
        case lines.RECORD if not is_replayed:
            yield from _record(thread, line, path)
        case lines.COMPACTED if not is_replayed:
            yield from _compacted(thread, line, path)
        case _:
            pass


def _meta(thread: _Thread, line: Line) -> None:
    said = line.payload
    if thread.provider is not None:
        # A copied history brings the session_meta of the other thread along.
        thread.has_copy |= fields.identifier(said.id) != thread.id
        return
    thread.id = fields.identifier(said.id) or thread.id
    thread.project = _folder(said.cwd)
    thread.branch = fields.text(fields.mapping(said.git).get("branch"))
    thread.provider = fields.provider(said.model_provider) or "openai"
    thread.model = fields.text(said.model) or thread.model
    _lineage(thread, line)


def _lineage(thread: _Thread, line: Line) -> None:
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


def _folder(cwd: object) -> str | None:
    said = fields.text(cwd)
    return None if said is None else PurePath(said.replace("\\", "/")).name or None


def _copied(thread: _Thread, line: Line) -> None:
    """Note what holds until the thread says it of itself, which it does after the copy."""
    thread.model = fields.text(line.payload.model) or thread.model
    if thread.has_copy:
        thread.copied_turn = fields.identifier(line.payload.turn_id) or thread.copied_turn


def _turn(thread: _Thread, line: Line) -> Said:
    said = line.payload
    if line.kind == lines.CONTEXT:
        thread.model = fields.text(said.model) or thread.model
        thread.project = _folder(said.cwd) or thread.project
    name = fields.identifier(said.turn_id)
    thread.names_turns |= name is not None
    if line.kind == lines.PROMPT and not thread.names_turns:
        name = str(thread.turns + 1)  # Old rollouts name no turns; each prompt is one.
    if name is None or name == thread.turn:
        return
    thread.turn, thread.turns, thread.last = name, thread.turns + 1, None
    if not thread.is_agent and line.at_ns is not None:
        yield _turn_of(thread, name, line.at_ns)


def _turn_of(thread: _Thread, turn: str, at_ns: int, prompts: int = 1) -> Turn:
    place = thread.place
    return Turn(
        source=_NAME,
        session=place.session if place else thread.id,
        turn=turn,
        start_ns=at_ns,
        project=thread.project,
        branch=thread.branch,
        prompts=prompts,
    )


def _count(thread: _Thread, line: Line, path: Path, *, is_replayed: bool) -> Said:
    info = fields.mapping(line.payload.info)
    total, last = fields.mapping(info.get("total_token_usage")), info.get("last_token_usage")
    if not total and not last:
        return  # It is about limits alone.
    if is_replayed or (thread.is_copy and thread.total is None and not last):
        thread.total = thread.seed = total or thread.total
        return
    before, thread.total = thread.total, total or thread.total
    if total and not _advances(before, total, last):
        thread.total = before
        return
    counts = fields.mapping(last) or _difference(total, before)
    yield from lines.odd(counts)
    if total and not thread.is_agent and line.at_ns is not None:
        of = lines.tokens(_difference(total, thread.seed))
        yield Total(source=_NAME, session=thread.id, at_ns=line.at_ns, usage=of)
    # After a compaction the context is counted anew, of which no call is made.
    if thread.has_records or fields.used(lines.tokens(counts)).state == "missing":
        return
    key = f"{thread.id}:{_amount(total) or line.at_ns}:{_amount(counts)}"
    yield from _call(thread, line, path, key=key, counts=counts)


def _advances(before: dict[str, Any] | None, total: dict[str, Any], last: object) -> bool:
    """Whether the counts have moved on; a process that counts anew begins with its own call."""
    if before is None or _amount(total) > _amount(before):
        return True
    return _amount(total) < _amount(before) and _amount(total) == _amount(last)


def _amount(said: object) -> int:
    used = lines.tokens(said)
    return (used.input_tokens or 0) + (used.output_tokens or 0)


def _difference(total: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    earlier = before or {}
    return {
        key: value - earlier[key] if type(value) is type(earlier.get(key)) is int else value
        for key, value in total.items()
    }


def _record(thread: _Thread, line: Line, path: Path) -> Said:
    said = line.payload
    counts = fields.mapping(said.usage)
    yield from lines.odd(counts)
    response = fields.identifier(said.response_id)
    before, thread.has_records = thread.last, True
    key = response or f"{thread.id}:{line.at_ns}"
    if before is not None and before.response_id is None and _is_same(before.counts, counts):
        key = before.key  # The count of this very call came first.
    thread.root = fields.identifier(said.session_id) or thread.root
    thread.root_turn = fields.identifier(said.root_turn_id) or thread.root_turn
    yield from _call(thread, line, path, key=key, counts=counts, response_id=response)


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("input_tokens", "output_tokens"))


def _compacted(thread: _Thread, line: Line, path: Path) -> Said:
    """Yield the call again, whose record came just before, as what it was for.

    The line embeds a copy of that record, which is not a second call.
    """
    last, response = thread.last, fields.identifier(line.payload.compaction_response_id)
    if last is not None and response is not None and last.response_id == response:
        yield _call_of(thread, last, _place(thread, path, last.turn), role="compaction")


def _call(
    thread: _Thread,
    line: Line,
    path: Path,
    *,
    key: str,
    counts: dict[str, Any],
    response_id: str | None = None,
) -> Said:
    if line.at_ns is None:
        yield Skipped("a call without a time")
        return
    if thread.turn is None or (thread.is_agent and thread.place is None):
        yield from _begin(thread, line.at_ns, path)
    place = _place(thread, path, thread.root_turn if thread.is_agent else thread.turn)
    kept = {one: value for one, value in counts.items() if one.endswith("_tokens")}
    thread.last = _Told(key, line.at_ns, place.turn, thread.model, kept, response_id)
    yield _call_of(thread, thread.last, place)


def _begin(thread: _Thread, at_ns: int, path: Path) -> Said:
    """Yield what the first call of a thread is part of, where nothing said so before."""
    if not thread.is_agent:
        thread.turn, thread.turns = "1", 1
        yield _turn_of(thread, "1", at_ns)
        return
    thread.turn = thread.turn or "1"
    place = thread.place = _place_of(thread, path)
    if place.turn == thread.id:
        yield _turn_of(thread, place.turn, at_ns, prompts=0)
    yield Agent(
        source=_NAME,
        session=place.session,
        turn=place.turn,
        key=thread.id,
        start_ns=thread.begun_ns or at_ns,
        name=thread.name,
        parent_key=place.parent_key,
        depth=place.depth,
    )


def _place(thread: _Thread, path: Path, turn: str | None) -> _Place:
    if thread.is_agent:
        place = thread.place or _place_of(thread, path)
        return msgspec.structs.replace(place, turn=turn or place.turn)
    return _Place(thread.id, turn or "1")


def _call_of(thread: _Thread, told: _Told, place: _Place, role: Role | None = None) -> Call:
    used: TokenUsage = lines.tokens(told.counts)
    is_reviewer = told.model == _REVIEWER
    return Call(
        source=_NAME,
        session=place.session,
        turn=place.turn,
        key=told.key,
        start_ns=told.at_ns,
        model=None if is_reviewer else told.model,
        request_model=_REVIEWER if is_reviewer else None,
        provider=thread.provider,
        response_id=told.response_id,
        role=role or ("guard" if is_reviewer else thread.role),
        agent=place.agent,
        agent_key=place.agent_key,
        depth=place.depth,
        usage=used,
        # A record says more than a count, and its purpose more than the record.
        worth=4 * (used.output_tokens or 0)
        + 2 * (role is not None)
        + (told.response_id is not None),
    )


def _place_of(thread: _Thread, path: Path, seen: int = 0) -> _Place:
    """Return where a sub-agent belongs: as its parent's rollout has it, else as far as it says."""
    parent = _parent(thread, path) if seen < _DEEPEST else None
    inner = _Place(
        thread.root or thread.parent or thread.id,
        thread.root_turn or thread.copied_turn or thread.id,
    )
    if parent is not None and parent.is_agent:
        inner = _place_of(parent, path, seen + 1)
    elif parent is not None:
        turn = thread.root_turn or parent.turn or thread.copied_turn or thread.id
        inner = _Place(parent.id, turn)
    return _Place(
        inner.session, inner.turn, thread.name, thread.id, inner.agent_key, inner.depth + 1
    )


def _parent(thread: _Thread, path: Path) -> _Thread | None:
    """Return what was known of the parent when the sub-agent began; None if it has no rollout."""
    if thread.parent is None or thread.parent == thread.id or not _ID.fullmatch(thread.parent):
        return None
    at = next(_rollouts(path, thread.parent), None)
    if at is None:
        return None
    try:
        text = at.read_bytes()
    except OSError:
        return None
    known = _Thread(id=thread.parent)
    for line in lines.of(filter(None, text.split(b"\n"))):
        if isinstance(line, Skipped):
            continue
        if thread.begun_ns is not None and line.at_ns is not None and line.at_ns > thread.begun_ns:
            break
        if line.kind in {lines.META, lines.CONTEXT, lines.STARTED, lines.PROMPT}:
            for _ in _told(known, line, at):
                pass
    return known


def _rollouts(path: Path, thread: str) -> Iterator[Path]:
    name = f"rollout-*{thread}.jsonl"
    yield from path.parent.glob(name)  # Most of them were started the same day.
    for folder in path.parents:
        if folder.name in {_SESSIONS, _ARCHIVED}:
            for other in _folders(folder.parent):
                yield from other.rglob(name)
            return
