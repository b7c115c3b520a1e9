"""Which sub-agent a Claude Code transcript is of, who started it, and in which turn."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec

from agenttrace.model import Role
from agenttrace.sources.agents.claude_code_records import Name

_PREFIX: Final = "agent-"
_DEEPEST: Final = 100
_FIRST_DEPTH: Final = 2  # of what the session itself started
_META_AT_MOST: Final = 1024 * 1024

# What Claude Code runs beside the conversation, by what the agent's id begins with.
_ROLES: Final[dict[str, Role]] = {
    "acompact": "compaction",
    "aaway_summary": "summary",
    "asession_memory": "summary",
    "aside_question": "other",
    "aprompt_suggestion": "other",
}
_OWN: Final = re.compile(rf"({'|'.join(_ROLES)})(?:-|$)").match


class _Meta(msgspec.Struct, gc=False):
    """What stands in the file beside a transcript."""

    agentType: Name = None  # noqa: N815 - as they spell it
    toolUseId: Name = None  # noqa: N815
    parentAgentId: Name = None  # noqa: N815
    spawnDepth: Annotated[int, msgspec.Meta(gt=0, lt=_DEEPEST)] | None = None  # noqa: N815


# A tool that was asked for: its id comes before its name, or after it.
_ASKED: Final = re.compile(
    rb'"id":"([^"\\]+)","name":"(?:Agent|Task)"|"name":"(?:Agent|Task)","id":"([^"\\]+)"'
)


@dataclass(frozen=True, slots=True)
class Who:
    """The agent of a transcript.

    Attributes:
        key: Its id, which agents of other sessions may have too.
        name: What kind of agent it is.
        role: Of its calls.
        parent_key: The agent that started it; None for the session itself, or where nothing says.
        depth: Agents around its calls, itself included.
    """

    key: str
    name: str
    role: Role = "subagent"
    parent_key: str | None = None
    depth: int = 2


def is_agent(path: Path) -> bool:
    """Whether *path* is the transcript of a sub-agent."""
    return path.name.startswith(_PREFIX)


def who(path: Path) -> Who:
    """Return the agent of the transcript at *path*, as the file beside it describes it."""
    key = path.name.removesuffix(".jsonl").removeprefix(_PREFIX)
    own = _OWN(key)
    meta = _meta(path)
    parent_key, depth = _parent(path, meta)
    return Who(
        key,
        meta.agentType or (own[1][1:] if own else "subagent"),
        _ROLES[own[1]] if own else "subagent",
        parent_key,
        depth,
    )


def main_of(path: Path, session: str) -> Path:
    """Return where the transcript of the *session* is that the agent of *path* belongs to."""
    for folder in path.parents:
        if folder.name == "subagents":
            return folder.parent.with_name(f"{folder.parent.name}.jsonl")
    return path.with_name(f"{Path(session).name}.jsonl")


def _meta(path: Path) -> _Meta:
    """Return what the file beside a transcript says; nothing if it is not there, or broken."""
    try:
        with path.with_name(path.name.removesuffix(".jsonl") + ".meta.json").open("rb") as file:
            return msgspec.json.decode(file.read(_META_AT_MOST), type=_Meta)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Meta()


def _parent(path: Path, meta: _Meta) -> tuple[str | None, int]:
    """Return which agent started the one of *path*, and how deep it is."""
    known = meta.spawnDepth + 1 if meta.spawnDepth else None
    if known == _FIRST_DEPTH:
        return None, known
    parent_key = _started_by(path, meta)
    if parent_key is None:
        return None, known or _FIRST_DEPTH
    return parent_key, known or _depth(path, parent_key)


def _depth(path: Path, parent_key: str | None) -> int:
    """Return how deep an agent is whose parent is known, by following the parents."""
    depth, seen = _FIRST_DEPTH, set[str]()
    while parent_key is not None and parent_key not in seen and depth < _DEEPEST:
        seen.add(parent_key)
        depth += 1
        beside = path.with_name(f"{_PREFIX}{Path(parent_key).name}.jsonl")
        parent_key = _started_by(beside, _meta(beside))
    return depth


def _started_by(path: Path, meta: _Meta) -> str | None:
    """Return the agent that started the one of *path*; None if it was the session."""
    if meta.parentAgentId or not meta.toolUseId:
        return meta.parentAgentId or None
    return _asked.of(path.parent).get(meta.toolUseId.encode("utf-8", "replace"))


class _Asked:
    """Who asked for which agents, of the folder that was looked at last."""

    def __init__(self) -> None:
        self._folder: tuple[Path, int] | None = None
        self._by: dict[bytes, str] = {}

    def of(self, folder: Path) -> dict[bytes, str]:
        """Return the agents of *folder* by the ids of the tools that they asked for."""
        try:
            place = folder, folder.stat().st_mtime_ns
            if place != self._folder:
                self._by = _asked_in(folder)
                self._folder = place
        except OSError:
            return {}
        return self._by


_asked: Final = _Asked()


def _asked_in(folder: Path) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for path in sorted(folder.glob(f"{_PREFIX}*.jsonl")):
        key = path.name.removesuffix(".jsonl").removeprefix(_PREFIX)
        with path.open("rb") as file:
            for line in file:
                if b'"Agent"' in line or b'"Task"' in line:
                    found.update({asked[1] or asked[2]: key for asked in _ASKED.finditer(line)})
    return found


class Turns:
    """The turns of transcripts that were read from their beginning, for the sub-agents in them."""

    def __init__(self) -> None:
        self._turns: dict[Path, dict[str, int]] = {}

    def begin(self, path: Path) -> None:
        """Note that the transcript at *path* is read from its beginning."""
        if len(self._turns) >= _SESSIONS_AT_MOST:
            self._turns.clear()
        self._turns[path] = {}

    def note(self, path: Path, turn: str, start_ns: int) -> None:
        """Note a turn of a transcript, if that was read from its beginning."""
        if path in self._turns:
            self._turns[path].setdefault(turn, start_ns)

    def known(self, path: Path) -> dict[str, int] | None:
        """Return when the turns of a transcript began; None if it was not read."""
        return self._turns.get(path)


_SESSIONS_AT_MOST: Final = 20_000


def turn_of(turns: dict[str, int], prompt: str | None, start_ns: int) -> str | None:
    """Return the turn that an agent was started in: that of its prompt, else the latest before.

    Args:
        turns: When those of its session began, nanoseconds.
        prompt: The id of the prompt that its transcript names.
        start_ns: When it began.
    """
    if prompt is not None and prompt in turns:
        return prompt
    ordered = sorted(turns, key=lambda turn: turns[turn])
    place = bisect_right([turns[turn] for turn in ordered], start_ns)
    return ordered[max(place - 1, 0)] if ordered else None
