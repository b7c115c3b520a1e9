"""Read a transcript of Claude Code, a piece at a time: where in the session each call belongs."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from agenttrace.sources.agents import claude_code_agents as agents
from agenttrace.sources.agents import claude_code_records as records
from agenttrace.sources.agents.claude_code_calls import NAME, Answer, Place, is_call, totals
from agenttrace.sources.agents.claude_code_records import Fork, Line, Message, Origin, time_ns
from agenttrace.sources.source import DOCUMENT_AT_MOST, Piece, Skipped
from agenttrace.sources.told import Agent, Record, Total, Turn

# What runs without anybody who reads along: `claude -p`, and programs that use its SDK.
_HEADLESS: Final = "sdk"
# Where the folder of a project ends and that of a copy of its repository begins.
_WORKTREES: Final = "/.claude/worktrees/"
_NO_TIME: Final = "a call without a time"


def read(piece: Piece, turns: agents.Turns) -> Iterator[Record | Skipped]:
    """Yield what *piece* tells.

    Args:
        piece: Of a transcript. Its state holds the time of the last record (``at``), the turn that
            goes on (``turn``), how it began if it is not told of yet (``began``), and whether the
            agent of the transcript is told of (``agent``).
        turns: Those of the sessions that were read so far.
    """
    return _Reading(piece, turns).records()


class _Reading:
    """A piece that is being read."""

    def __init__(self, piece: Piece, turns: agents.Turns) -> None:
        self._path = piece.path
        self._state: dict[str, Any] = piece.state
        self._at: int | None = piece.state.get("at")
        self._turns = turns
        self._text = piece.text
        self._answers: dict[str, Answer] = {}
        self._totals: dict[str | None, Total] = {}
        self._who = agents.who(piece.path) if agents.is_agent(piece.path) else None
        if piece.is_first and self._who is None:
            turns.begin(piece.path)

    def records(self) -> Iterator[Record | Skipped]:
        """Yield what the lines tell."""
        unknown: Counter[str] = Counter()
        for line in records.lines(self._text):
            if isinstance(line, Skipped):
                yield line
                continue
            self._at = time_ns(line.timestamp) or self._at
            if line.type == "assistant":
                yield from self._answer(line)
            elif line.type == "user":
                self._prompt(line)
            elif line.type == "progress":
                yield from self._progress(line)
            elif line.type == "cost-state":
                self._note_totals(line)
            elif line.type not in records.WITHOUT_USAGE:
                unknown[(line.type or "")[:60]] += 1
        self._state["at"] = self._at
        for answer in self._answers.values():
            yield from answer.calls()
        yield from self._totals.values()
        for name, number in unknown.items():
            yield Skipped(f"record type '{name}'", number)

    def _prompt(self, line: Line) -> None:
        """Begin a turn; it is told of with its first call, for some prompts cause none."""
        if self._who is not None:
            self._state.setdefault("prompt", line.promptId)
            return
        kind = line.origin.kind if isinstance(line.origin, Origin) else None
        turn = line.promptId or _uuid(line)
        if turn in (None, self._state.get("turn")) or not records.is_prompt(line):
            return
        if kind == "task-notification" and "turn" in self._state:
            return  # What an agent in the background has done belongs to who asked for it.
        is_person = kind in (None, "human") and not _is_headless(line)
        self._state["turn"] = turn
        self._state["began"] = [self._at, 1 if is_person else None if kind is None else 0]

    def _answer(self, line: Line) -> Iterator[Record | Skipped]:
        """Take an answer; what it belongs to is told of first."""
        message = line.message
        if message is None or not is_call(message):
            return
        if self._at is None:
            yield Skipped(_NO_TIME)
            return
        if self._who is not None and "agent" not in self._state:
            yield from self._agent(line, self._who, self._at)
        elif "began" in self._state or "turn" not in self._state:
            yield self._turn(line, self._at)
        self._take(line, message, line.requestId, self._at, self._placed(line))

    def _progress(self, line: Line) -> Iterator[Record | Skipped]:
        """Take a record that repeats what a sub-agent got; in older versions it is the only one."""
        inner = line.data.message if line.data else None
        if inner is None or isinstance(inner, str) or inner.message is None:
            return
        at_ns = time_ns(inner.timestamp) or self._at
        if inner.message.usage is None or not is_call(inner.message):
            return
        if at_ns is None:
            yield Skipped(_NO_TIME)
            return
        if "began" in self._state or "turn" not in self._state:
            yield self._turn(line, at_ns)
        key = line.data.agentId if line.data else None
        place = Place(
            _session(line, self._path),
            self._state["turn"],
            "subagent",
            "subagent" if key else None,
            key or None,
            depth=2,
            is_copy=True,
        )
        self._take(line, inner.message, inner.requestId, at_ns, place)

    def _take(
        self, line: Line, message: Message, request_id: str | None, at_ns: int, place: Place
    ) -> None:
        key = message.id or request_id or line.uuid
        if not key:
            return
        answer = self._answers.get(key)
        if answer is None:
            self._answers[key] = Answer(key, line, message, request_id, at_ns, place)
        else:
            answer.take(line, message, request_id, at_ns, place)

    def _note_totals(self, line: Line) -> None:
        """Note what Claude Code itself says that the session has used; the last word counts."""
        if self._at is not None and line.modelUsage:
            for one in totals(line.modelUsage, _session(line, self._path), self._at):
                self._totals[one.model] = one

    def _placed(self, line: Line) -> Place:
        """Return where the call of *line* belongs."""
        session, turn, who = _session(line, self._path), self._state["turn"], self._who
        if who is not None:
            return Place(session, turn, who.role, who.name, who.key, who.depth, is_copy=True)
        if line.isSidechain:
            return Place(session, turn, "subagent", depth=2, is_copy=True)
        return Place(session, turn)

    def _turn(self, line: Line, at_ns: int) -> Turn:
        """Return the turn that goes on, of which nothing is told yet."""
        session = _session(line, self._path)
        began, prompts = self._state.pop("began", (None, None))
        turn = self._state.setdefault("turn", session)
        start_ns = began or at_ns
        self._turns.note(self._path, turn, start_ns)
        return Turn(
            source=NAME,
            session=session,
            turn=turn,
            start_ns=start_ns,
            project=_project(line.cwd),
            branch=line.gitBranch or None,
            prompts=prompts,
            is_headless=True if _is_headless(line) else None,
        )

    def _agent(self, line: Line, who: agents.Who, at_ns: int) -> Iterator[Record]:
        """Yield the agent of the transcript, and its turn if nothing else tells of it."""
        session = _session(line, self._path)
        prompt = self._state.get("prompt")
        turn = agents.turn_of(self._turns_of(session), prompt, at_ns)
        self._state["turn"] = turn or prompt or session
        self._state["agent"] = True
        if turn is None:
            yield self._turn(line, at_ns)
        yield Agent(
            source=NAME,
            session=session,
            turn=self._state["turn"],
            key=who.key,
            start_ns=at_ns,
            name=who.name,
            parent_key=who.parent_key,
            depth=who.depth,
        )

    def _turns_of(self, session: str) -> dict[str, int]:
        """Return when the turns of the session began, for which it may have to be read."""
        main = agents.main_of(self._path, session)
        known = self._turns.known(main)
        if known is None:
            for _ in read(Piece(main, _bytes(main), is_first=True, state={}), self._turns):
                pass
            known = self._turns.known(main)
        return known or {}


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(DOCUMENT_AT_MOST)
    except OSError:
        return b""


def _session(line: Line, path: Path) -> str:
    """Return the conversation of a record: the one that it was copied from, if it was."""
    fork = line.forkedFrom
    copied = fork.sessionId if isinstance(fork, Fork) else fork
    return copied or line.sessionId or path.stem


def _uuid(line: Line) -> str | None:
    fork = line.forkedFrom
    return (fork.messageUuid if isinstance(fork, Fork) else None) or line.uuid


def _is_headless(line: Line) -> bool:
    return line.entrypoint is not None and line.entrypoint.startswith(_HEADLESS)


def _project(folder: str | None) -> str | None:
    """Return the name of the folder that is worked in, never where it is."""
    if folder is None:
        return None
    inside = folder.replace("\\", "/").split(_WORKTREES, 1)[0]
    return inside.rstrip("/").rpartition("/")[2] or None
