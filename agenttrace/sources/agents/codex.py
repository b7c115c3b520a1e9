"""Rollouts of Codex: ``sessions/YYYY/MM/DD/rollout-*.jsonl`` and ``archived_sessions/``.

One file is one thread: a session, or a sub-agent of one. A call is a ``token_usage_record`` where
there are any (about 0.151 on), else a ``token_count`` that moved the cumulative counts.
"""

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from agenttrace.model import Role, TokenUsage
from agenttrace.sources.agents import codex_lines as lines
from agenttrace.sources.agents import codex_threads as threads
from agenttrace.sources.agents import fields
from agenttrace.sources.agents.codex_lines import Line
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Agent, Call, Record, Total

_REVIEWER: Final = "codex-auto-review"  # no model, but the alias that the guardian asks for

Said = Generator[Record | Skipped, None, None]


class Codex:
    """The source."""

    name = threads.NAME
    form: Form = "lines"

    def roots(self, user: User) -> Iterable[Path]:
        """Return the folder of rollouts."""
        home = user.folder("CODEX_HOME", ".codex")
        # One root, so that a session in both of its folders can be told.
        return [home]

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Yield the rollouts; of two with one relative path, the active one."""
        if root.is_file() or not threads.folders(root):
            yield from walk(root, _is_rollout, unreadable)
            return
        active: set[str] = set()
        for folder in threads.folders(root):
            for path in walk(folder, _is_rollout, unreadable):
                relative = path.relative_to(folder).as_posix()
                if relative not in active:
                    active.add(relative)
                    yield path

    def read(self, piece: Piece) -> Said:
        """Yield what *piece* tells."""
        thread = msgspec.convert(piece.state, threads.Thread)
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


def _is_rollout(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("rollout-") and name.endswith(".jsonl")


def _told(thread: threads.Thread, line: Line, path: Path) -> Said:
    if thread.begun_ns is None:
        thread.begun_ns = line.at_ns
    is_replayed = thread.is_replayed(line)
    match line.kind:
        case kind if kind in threads.FOLLOWED:
            yield from threads.follow(thread, line)
        case lines.COUNT:
            yield from _count(thread, line, path, is_replayed=is_replayed)
        case lines.RECORD if not is_replayed:
            yield from _record(thread, line, path)
        case lines.COMPACTED if not is_replayed:
            yield from _compacted(thread, line, path)
        case _:
            pass


def _count(thread: threads.Thread, line: Line, path: Path, *, is_replayed: bool) -> Said:
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
        yield Total(source=threads.NAME, session=thread.id, at_ns=line.at_ns, usage=of)
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


def _record(thread: threads.Thread, line: Line, path: Path) -> Said:
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


def _compacted(thread: threads.Thread, line: Line, path: Path) -> Said:
    """Yield the call again, whose record came just before, as what it was for.

    The line embeds a copy of that record, which is not a second call.
    """
    last, response = thread.last, fields.identifier(line.payload.compaction_response_id)
    if last is not None and response is not None and last.response_id == response:
        yield _call_of(thread, last, threads.place_in(thread, path, last.turn), role="compaction")


def _call(
    thread: threads.Thread,
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
    place = threads.place_in(thread, path, thread.root_turn if thread.is_agent else thread.turn)
    kept = {one: value for one, value in counts.items() if one.endswith("_tokens")}
    thread.last = threads.Told(key, line.at_ns, place.turn, thread.model, kept, response_id)
    yield _call_of(thread, thread.last, place)


def _begin(thread: threads.Thread, at_ns: int, path: Path) -> Said:
    """Yield what the first call of a thread is part of, where nothing said so before."""
    if not thread.is_agent:
        thread.turn, thread.turns = "1", 1
        yield threads.turn_of(thread, "1", at_ns)
        return
    thread.turn = thread.turn or "1"
    place = thread.place = threads.place_of(thread, path)
    if place.turn == thread.id:
        yield threads.turn_of(thread, place.turn, at_ns, prompts=0)
    yield Agent(
        source=threads.NAME,
        session=place.session,
        turn=place.turn,
        key=thread.id,
        start_ns=thread.begun_ns or at_ns,
        name=thread.name,
        parent_key=place.parent_key,
        depth=place.depth,
    )


def _call_of(
    thread: threads.Thread, told: threads.Told, place: threads.Place, role: Role | None = None
) -> Call:
    used: TokenUsage = lines.tokens(told.counts)
    is_reviewer = told.model == _REVIEWER
    return Call(
        source=threads.NAME,
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
