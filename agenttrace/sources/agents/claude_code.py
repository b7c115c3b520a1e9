"""Transcripts of Claude Code: ``projects/<folder>/<session>.jsonl``, and those of its sub-agents.

A response is written as one line for each part of it, each with the usage that was known then, and
the same response may stand in several files. What Claude Code asks in the background (titles,
recaps, compaction of the conversation itself) leaves no usage here.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from agenttrace.sources.agents.claude_code_agents import Turns
from agenttrace.sources.agents.claude_code_calls import NAME
from agenttrace.sources.agents.claude_code_reading import read
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Record

_PROJECTS: Final = "projects"
_DESKTOP: Final = "local-agent-mode-sessions"
_DESKTOP_OF: Final = {
    "darwin": ("Library", "Application Support", "Claude", _DESKTOP),
    "win32": ("AppData", "Roaming", "Claude", _DESKTOP),
}
_JOURNAL: Final = "journal.jsonl"  # of a workflow: which of its agents are done


class ClaudeCode:
    """The source; it remembers the turns of what it has read, for the sub-agents in them."""

    name = NAME
    form: Form = "lines"

    def __init__(self) -> None:
        self._turns = Turns()

    def roots(self, user: User) -> Iterator[Path]:
        """Yield the folders of projects, and that of the desktop program."""
        said = user.variables.get("CLAUDE_CONFIG_DIR", "")
        folders = [Path(one.strip()).expanduser() for one in said.split(",") if one.strip()]
        for folder in folders or [user.config / "claude", user.home / ".claude"]:
            yield folder if folder.name == _PROJECTS else folder / _PROJECTS
        yield user.home.joinpath(*_DESKTOP_OF.get(user.platform, (".config", "Claude", _DESKTOP)))

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return the transcripts below *root*, those of a session before its sub-agents'."""
        if root.name != _PROJECTS and (root / _PROJECTS).is_dir():
            root /= _PROJECTS
        return walk(root, _matches_desktop if root.name == _DESKTOP else _matches, unreadable)

    def read(self, piece: Piece) -> Iterable[Record | Skipped]:
        """Return the calls of *piece*, and the turns and the agent that they belong to."""
        return read(piece, self._turns)


def _matches(path: str) -> bool:
    return path.endswith(".jsonl") and not f"/{path}".endswith(f"/{_JOURNAL}")


def _matches_desktop(path: str) -> bool:
    return _matches(path) and f"/{_PROJECTS}/" in f"/{path}"


SOURCE: Final = ClaudeCode()
