"""Read a transcript of Claude Code, a piece at a time: where in the session each call belongs."""

from collections import Counter
from pathlib import Path
from typing import Any, Final

from agenttrace.sources.agents import claude_code_agents as agents
from agenttrace.sources.agents import claude_code_records as records
from agenttrace.sources.agents import fields
from agenttrace.sources.agents.claude_code_calls import NAME, Answer, Place, is_call, totals
from agenttrace.sources.agents.claude_code_records import Fork, Inner, Line, Origin, time_ns
from agenttrace.sources.source import DOCUMENT_AT_MOST, Piece, Skipped
from agenttrace.sources.told import Agent, Record, Total, Turn

# What runs without anybody who reads along: `claude -p`, and programs that use its SDK.
_HEADLESS: Final = "sdk"
# Where the folder of a project ends and that of a copy of its repository begins.
_WORKTREES: Final = "/.claude/worktrees/"
_NO_NAME: Final = "a call without an id or a time"
_NOWHERE: Final = Place("", "")


def read(piece: Piece, turns: agents.Turns) -> list[Record | Skipped]:
    """Return what *piece* tells.

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
        self._told: list[Record | Skipped] = []
        self._unknown: Counter[str] = Counter()
        self._who = agents.who(piece.path) if agents.is_agent(piece.path) else None
        self._latest = _NOWHERE
        if piece.is_first and self._who is None:
            turns.begin(piece.path)

    def records(self) -> list[Record | Skipped]:
        """Return what the lines tell."""
        told = self._told
        for line in records.lines(self._text):
            if isinstance(line, Skipped):
                told.append(line)
                continue
            self._at = time_ns(line.timestamp) or self._at
            if line.type == "assistant":
                self._answer(line)
            elif line.type == "user":
                self._prompt(line)
            else:
                self._other(line)
        self._state["at"] = self._at
        for answer in self._answers.values():
            told += answer.calls()
        told += self._totals.values()
        told += [Skipped(reason, number) for reason, number in self._unknown.items()]
        return told

    def _other(self, line: Line) -> None:
        if line.type == "progress":
            self._progress(line)
        elif line.type == "cost-state":
            self._note_totals(line)
        elif line.type not in records.WITHOUT_USAGE:
            self._unknown[fields.unknown(line.type).reason] += 1

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

    def _answer(self, line: Line) -> None:
        """Take an answer; before the first line of it, what it belongs to is told of."""
        message = line.message
        if message is None or not is_call(message):
            return
        key = message.id or line.requestId or line.uuid
        if not key or self._at is None:
            self._told.append(Skipped(_NO_NAME))
            return
        answer, row = self._answers.get(key), (line, message, line.requestId, self._at)
        if answer is not None:
            if answer.take(row, is_copy=self._who is not None or line.isSidechain is True):
                answer.move(self._placed(line))
            return
        if self._who is not None and "agent" not in self._state:
            self._agent(line, self._who, self._at)
        elif "began" in self._state or "turn" not in self._state:
            self._turn(line, self._at)
        self._answers[key] = Answer(key, row, self._placed(line))

    def _progress(self, line: Line) -> None:
        """Take a record that repeats what a sub-agent got; in older versions it is the only one."""
        inner = line.data.message if line.data else None
        message = inner.message if isinstance(inner, Inner) else None
        if not isinstance(inner, Inner) or message is None or message.usage is None:
            return
        at_ns, key = time_ns(inner.timestamp) or self._at, message.id or inner.requestId
        if not is_call(message):
            return
        if at_ns is None or not key:
            self._told.append(Skipped(_NO_NAME))
            return
        if "began" in self._state or "turn" not in self._state:
            self._turn(line, at_ns)
        answer, row = self._answers.get(key), (line, message, inner.requestId, at_ns)
        if answer is None:
            self._answers[key] = Answer(key, row, self._placed_inner(line))
        elif answer.take(row, is_copy=True):
            answer.move(self._placed_inner(line))

    def _note_totals(self, line: Line) -> None:
        """Note what Claude Code itself says that the session has used; the last word counts."""
        if self._at is not None and line.modelUsage:
            for one in totals(line.modelUsage, _session(line, self._path), self._at):
                self._totals[one.model] = one

    def _placed(self, line: Line) -> Place:
        """Return where the call of *line* belongs, which is where the one before it did mostly."""
        session, turn, who = _session(line, self._path), self._state["turn"], self._who
        latest = self._latest
        is_copy = who is not None or line.isSidechain is True
        if latest.session == session and latest.turn == turn and latest.is_copy == is_copy:
            return latest
        if who is not None:
            found = Place(session, turn, who.role, who.name, who.key, who.depth, is_copy)
        elif is_copy:
            found = Place(session, turn, "subagent", depth=2, is_copy=True)
        else:
            found = Place(session, turn)
        self._latest = found
        return found

    def _placed_inner(self, line: Line) -> Place:
        """Return where the call belongs that a record of progress tells of."""
        key = line.data.agentId if line.data else None
        return Place(
            _session(line, self._path),
            self._state["turn"],
            "subagent",
            "subagent" if key else None,
            key or None,
            depth=2,
            is_copy=True,
        )

    def _turn(self, line: Line, at_ns: int) -> None:
        """Tell of the turn that goes on."""
        session = _session(line, self._path)
        began, prompts = self._state.pop("began", (None, None))
        turn = self._state.setdefault("turn", session)
        start_ns = began or at_ns
        self._turns.note(self._path, turn, start_ns)
        self._told.append(
            Turn(
                source=NAME,
                session=session,
                turn=turn,
                start_ns=start_ns,
                project=_project(line.cwd),
                branch=line.gitBranch or None,
                prompts=prompts,
                is_headless=True if _is_headless(line) else None,
            )
        )

    def _agent(self, line: Line, who: agents.Who, at_ns: int) -> None:
        """Tell of the agent of the transcript, and of its turn if nothing else does."""
        session = _session(line, self._path)
        prompt = self._state.get("prompt")
        turn = agents.turn_of(self._turns_of(session), prompt, at_ns)
        self._state["turn"] = turn or prompt or session
        self._state["agent"] = True
        if turn is None:
            self._turn(line, at_ns)
        self._told.append(
            Agent(
                source=NAME,
                session=session,
                turn=self._state["turn"],
                key=who.key,
                start_ns=at_ns,
                name=who.name,
                parent_key=who.parent_key,
                depth=who.depth,
            )
        )

    def _turns_of(self, session: str) -> dict[str, int]:
        """Return when the turns of the session began, for which it may have to be read."""
        main = agents.main_of(self._path, session)
        known = self._turns.known(main)
        if known is None:
            read(Piece(main, _bytes(main), is_first=True, state={}), self._turns)
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
    if fork is None:
        return line.sessionId or path.stem
    return (fork.sessionId if isinstance(fork, Fork) else fork) or line.sessionId or path.stem


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
