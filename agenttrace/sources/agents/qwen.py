"""Chats of Qwen Code, whose usage is counted as Gemini's.

Sessions are ``~/.qwen/projects/*/chats/*.jsonl``; sub-agents have files of their own in
``subagents/``, whose records have the session of their parent.
"""

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from agenttrace.sources.agents import fields, gemini
from agenttrace.sources.agents.decoding import decoded
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Agent, Call, Record, Turn

_NAME: Final = "qwen"
_KNOWN: Final = {"user", "assistant", "tool_result", "system"}
_COUNTS: Final = (
    "promptTokenCount",
    "candidatesTokenCount",
    "cachedContentTokenCount",
    "thoughtsTokenCount",
    "toolUsePromptTokenCount",
    "totalTokenCount",
)

Said = Generator[Record | Skipped, None, None]


class _Line(msgspec.Struct, gc=False, rename="camel"):
    """What is read of a record."""

    uuid: Any = None
    session_id: Any = None
    type: Any = None
    subtype: Any = None
    timestamp: Any = None
    cwd: Any = None
    git_branch: Any = None
    prompt_id: Any = None
    is_sidechain: Any = None
    agent_id: Any = None
    agent_name: Any = None
    forked_from: Any = None
    model: Any = None
    usage_metadata: Any = None


class _Chat(msgspec.Struct):
    """What is known of a chat so far; kept between increments."""

    session: str = ""
    turn: str | None = None
    agents: list[str] = []


_decoder: Final = msgspec.json.Decoder(_Line)


class Qwen:
    """The source."""

    name = _NAME
    form: Form = "lines"

    def roots(self, user: User) -> Iterable[Path]:
        """Return the folder of projects."""
        return [user.home / ".qwen" / "projects"]

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return the chats in *root*."""
        return walk(root, lambda path: _is_chat(root, path), unreadable)

    def read(self, piece: Piece) -> Said:
        """Yield what *piece* tells."""
        chat = msgspec.convert(piece.state, _Chat)
        if piece.is_first:
            chat.session = piece.path.stem
        for text in piece.lines():
            line = decoded(_decoder, text)
            if line is None:
                yield Skipped(fields.NO_JSON)
            elif line.type not in _KNOWN:
                yield fields.unknown(line.type)
            else:
                yield from _told(chat, line)
        piece.state.update(msgspec.to_builtins(chat))


SOURCE: Final = Qwen()


def _is_chat(root: Path, path: str) -> bool:
    folders = {root.name, root.parent.name, *path.split("/")[:-1]}
    return path.endswith(".jsonl") and not folders.isdisjoint({"chats", "subagents"})


def _told(chat: _Chat, line: _Line) -> Said:
    at_ns = fields.moment_ns(line.timestamp)
    # A branch of a chat copies its records, which stay where they were.
    origin = fields.identifier(fields.mapping(line.forked_from).get("sessionId"))
    chat.session = origin or fields.identifier(line.session_id) or chat.session
    is_prompt = line.type == "user" and line.subtype is None and line.is_sidechain is not True
    if is_prompt and at_ns is not None:
        chat.turn = fields.identifier(line.prompt_id) or fields.identifier(line.uuid) or str(at_ns)
        yield _turn(chat, line, chat.turn, at_ns)
    elif line.type == "assistant" and line.usage_metadata is not None:
        yield from _call(chat, line, at_ns)


def _turn(chat: _Chat, line: _Line, turn: str, at_ns: int, prompts: int = 1) -> Turn:
    return Turn(
        source=_NAME,
        session=chat.session,
        turn=turn,
        start_ns=at_ns,
        project=fields.folder(line.cwd),
        branch=fields.text(line.git_branch),
        prompts=prompts,
    )


def _call(chat: _Chat, line: _Line, at_ns: int | None) -> Said:
    counts = fields.mapping(line.usage_metadata)
    yield from fields.odd(counts.get(one) for one in _COUNTS)
    if at_ns is None:
        yield Skipped("a call without a time")
        return
    agent = (fields.identifier(line.agent_id) or "agent") if line.is_sidechain is True else None
    name = None if agent is None else fields.text(line.agent_name) or "subagent"
    if chat.turn is None:
        # A file of a sub-agent does not say which prompt it was started for.
        chat.turn = fields.identifier(line.prompt_id) or agent or "1"
        if chat.turn == agent or agent is None:
            yield _turn(chat, line, chat.turn, at_ns, prompts=int(agent is None))
    if agent is not None and name is not None and agent not in chat.agents:
        chat.agents.append(agent)
        yield Agent(
            source=_NAME,
            session=chat.session,
            turn=chat.turn,
            key=agent,
            start_ns=at_ns,
            name=name,
        )
    yield Call(
        source=_NAME,
        session=chat.session,
        turn=chat.turn,
        key=fields.identifier(line.uuid) or f"{chat.session}:{at_ns}",
        start_ns=at_ns,
        model=fields.text(line.model),
        role="main" if agent is None else "subagent",
        agent=name,
        agent_key=agent,
        depth=1 if agent is None else 2,
        usage=gemini.tokens(counts, _COUNTS),
    )
