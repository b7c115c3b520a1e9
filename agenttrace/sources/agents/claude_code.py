"""Transcripts of Claude Code: ``projects/<folder>/<session>.jsonl``, and those of its sub-agents.

A response is written as one line for each part of it, each with the usage that was known then; the
same response may stand in several files. Its input excludes the cache. What Claude Code asks in the
background (titles, recaps, compaction in the conversation itself) leaves no usage here.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from agenttrace.sources.agents import claude_code_agents as agents
from agenttrace.sources.agents import claude_code_records as records
from agenttrace.sources.agents.claude_code_calls import Place, calls, totals
from agenttrace.sources.agents.claude_code_records import Line, mapping, text, time_ns
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Agent, Call, Record, Total, Turn

NAME: Final = "claude-code"
_PROJECTS: Final = "projects"
_DESKTOP: Final = "local-agent-mode-sessions"
_OF_DESKTOP: Final = {
    "darwin": ("Library", "Application Support", "Claude", _DESKTOP),
    "win32": ("AppData", "Roaming", "Claude", _DESKTOP),
}
# What runs without anybody who reads along: `claude -p`, and programs that use its SDK.
_HEADLESS: Final = "sdk"
# Where the folder of a project ends and that of a copy of its repository begins.
_WORKTREES: Final = ("/.claude/worktrees/", "\\.claude\\worktrees\\")


class ClaudeCode:
    """The source; it remembers the turns of what it has read, for the sub-agents in them."""

    name = NAME
    form: Form = "lines"

    def __init__(self) -> None:
        self._turns = agents.Turns()

    def roots(self, user: User) -> Iterable[Path]:
        """Return the folders of projects, and that of the desktop program."""
        said = user.variables.get("CLAUDE_CONFIG_DIR", "")
        folders = [Path(one.strip()).expanduser() for one in said.split(",") if one.strip()]
        if not folders:
            folders = [user.config / "claude", user.home / ".claude"]
        for folder in folders:
            yield folder if folder.name == _PROJECTS else folder / _PROJECTS
        yield user.home.joinpath(*_OF_DESKTOP.get(user.platform, (".config", "Claude", _DESKTOP)))

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return the transcripts below *root*, those of a session before its sub-agents'."""
        if root.name != _PROJECTS and (root / _PROJECTS).is_dir():
            root /= _PROJECTS
        is_desktop = root.name == _DESKTOP

        def matches(path: str) -> bool:
            if not path.endswith(".jsonl") or path.endswith("journal.jsonl"):
                return False
            return not is_desktop or f"/{_PROJECTS}/" in f"/{path}"

        return walk(root, matches, unreadable)

    def read(self, piece: Piece) -> Iterator[Record | Skipped]:
        """Yield the calls of *piece*, and the turns and the agent that they belong to."""
        yield from _Reading(piece, self._turns).records()


class _Reading:
    """A piece of a transcript that is being read; what the next one needs is in its state."""

    def __init__(self, piece: Piece, turns: agents.Turns) -> None:
        self._path = piece.path
        self._state = piece.state
        self._turns = turns
        self._lines = records.lines(piece.text)
        self._is_first = piece.is_first
        self._totals: dict[str | None, Total] = {}
        self._who = agents.who(piece.path) if agents.is_agent(piece.path) else None
        if piece.is_first and self._who is None:
            self._turns.begin(str(piece.path))

    def records(self) -> Iterator[Record | Skipped]:
        """Yield what the lines tell."""
        unknown: dict[str, int] = {}
        for line in self._lines:
            if isinstance(line, Skipped):
                yield line
                continue
            kind = line.type
            self._state["at"] = time_ns(line.timestamp) or self._state.get("at")
            if kind == "assistant":
                yield from self._calls(line, line.message, line)
            elif kind == "user":
                self._prompt(line)
            elif kind == "progress":
                yield from self._progress(line)
            elif kind == "cost-state":
                self._note_totals(line)
            elif kind not in records.WITHOUT_USAGE:
                name = text(kind) or "none"
                unknown[name] = unknown.get(name, 0) + 1
        yield from self._totals.values()
        for name, number in unknown.items():
            yield Skipped(f"record type '{name[:60]}'", number)

    def _prompt(self, line: Line) -> None:
        """Begin a turn; it is told of with its first call, for some prompts cause none."""
        if self._who is not None:
            if text(line.promptId) is not None:
                self._state.setdefault("prompt", line.promptId)
            return
        if not records.is_prompt(line):
            return
        kind = mapping(line.origin).get("kind")
        turn = text(line.promptId) or _uuid(line)
        if kind == "task-notification" and "turn" in self._state:
            return  # What an agent in the background has done belongs to who asked for it.
        is_headless = _is_headless(line)
        prompts = None if is_headless else 1 if kind in (None, "human") else 0
        at = self._state.get("at")
        if turn and at and turn != self._state.get("turn"):
            self._state["turn"] = turn
            self._state["began"] = [at, prompts]
