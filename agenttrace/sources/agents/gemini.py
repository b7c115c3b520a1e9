"""Chats of Gemini CLI: ``~/.gemini/tmp/<project>/chats/``, as lines or, older, as one document.

Lines are appended and said again: what comes later under an id replaces what came before. Ten of
its twelve kinds of calls never reach these files (``agenttrace.coding_agents`` says so).
"""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from agenttrace.model import TokenUsage
from agenttrace.sources import usage
from agenttrace.sources.agents import fields
from agenttrace.sources.agents.decoding import decoded
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Agent, Call, Record, Turn

_NAME: Final = "gemini"
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_ID: Final = re.compile(r"[\w-]{8,64}")
_QUIET: Final = {"info", "error", "warning"}
_COUNTS: Final = ("input", "output", "cached", "thoughts", "tool", "total")
_NOTHING: Final = msgspec.Raw(b"null")

Said = Generator[Record | Skipped, None, None]


class _Line(msgspec.Struct, gc=False):
    """What is read of a line: a message, a control line, or what the chat is."""

    id: Any = None
    type: Any = None
    timestamp: Any = None
    model: Any = None
    tokens: Any = None
    sessionId: Any = None  # noqa: N815 - as the file has it
    directories: Any = None
    messages: list[msgspec.Raw] | None = None
    set: msgspec.Raw = msgspec.field(name="$set", default=_NOTHING)
    rewind: Any = msgspec.field(name="$rewindTo", default=None)


class _Chat(msgspec.Struct):
    """What is known of a chat so far; kept between increments.

    Attributes:
        session: Its id; of a sub-agent the one of the chat that it is part of.
        agent: Id of the sub-agent that it is.
        project: Folder that it works in.
        turn: The prompt under way.
        turns: Turns that were told.
        is_begun: The sub-agent was told.
    """

    session: str = ""
    agent: str | None = None
    project: str | None = None
    turn: str | None = None
    turns: list[str] = []
    is_begun: bool = False


_decoder: Final = msgspec.json.Decoder(_Line)


class Gemini:
    """The source."""

    name = _NAME
    form: Form = "lines"

    def roots(self, user: User) -> Iterable[Path]:
        """Return the folder of projects."""
        home = user.variables.get("GEMINI_CLI_HOME")
        return [(Path(home).expanduser() if home else user.home) / ".gemini" / "tmp"]

    def form_of(self, path: Path) -> Form:
        """Return how *path* is read: versions before 2026 wrote documents."""
        return "document" if path.suffix == ".json" else self.form

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return the chats in *root*, those of sub-agents too."""
        return walk(root, lambda path: _is_chat(f"{root.name}/{path}"), unreadable)

    def read(self, piece: Piece) -> Said:
        """Yield what *piece* tells."""
        chat = msgspec.convert(piece.state, _Chat)
        if piece.is_first:
            _place(chat, piece.path)
        texts = [piece.text] if piece.path.suffix == ".json" else piece.lines()
        for text in texts:
            line = decoded(_decoder, text)
            if line is None:
                yield Skipped(fields.NO_JSON)
            else:
                yield from _told(chat, line, piece.path)
        piece.state.update(msgspec.to_builtins(chat))


SOURCE: Final = Gemini()


def _is_chat(path: str) -> bool:
    *folders, name = path.split("/")
    if not name.endswith((".jsonl", ".json")):
        return False
    is_own = name.startswith("session-")
    return (is_own and folders[-1] == "chats") or folders[-2:-1] == ["chats"]


def _place(chat: _Chat, path: Path) -> None:
    chat.session = path.stem
    folder = path.parent
    if folder.name != "chats" and folder.parent.name == "chats":
        chat.session, chat.agent = folder.name, path.stem
        folder = folder.parent
    project = folder.parent.name
    chat.project = None if _HASH.fullmatch(project) else project or None


def _told(chat: _Chat, line: _Line, path: Path) -> Said:
    if line.set != _NOTHING:
        yield from _each(chat, [line.set], path)
    if line.rewind is not None:
        # What was said after that message is forgotten; the calls for it were made, and count.
        return
    if line.sessionId is not None or line.directories is not None:
        _describe(chat, line)
    yield from _each(chat, line.messages or (), path)
    if line.type is not None:
        yield from _message(chat, line, path)


def _each(chat: _Chat, said: Iterable[msgspec.Raw], path: Path) -> Said:
    """Yield what each of several values tells; one that is odd does not cost the others."""
    for one in said:
        line = decoded(_decoder, bytes(one))
        if line is None:
            yield Skipped(fields.NO_JSON)
        else:
            line.set = _NOTHING  # None is inside another.
            yield from _told(chat, line, path)


def _describe(chat: _Chat, line: _Line) -> None:
    said = fields.identifier(line.sessionId)
    if said and chat.agent is None:
        chat.session = said
    folder = next(filter(None, map(fields.text, fields.sequence(line.directories))), None)
    if folder is not None:
        chat.project = fields.folder(folder) or chat.project


def _message(chat: _Chat, line: _Line, path: Path) -> Said:
    at_ns = fields.moment_ns(line.timestamp)
    if line.type == "gemini":
        yield from _call(chat, line, at_ns, path)
    elif line.type == "user":
        yield from _prompt(chat, line, at_ns)
    elif line.type not in _QUIET:
        yield fields.unknown(line.type)


def _prompt(chat: _Chat, line: _Line, at_ns: int | None) -> Said:
    if chat.agent is not None or at_ns is None:
        return  # The prompt of a sub-agent is its parent's.
    turn = fields.identifier(line.id) or str(at_ns)
    chat.turn = turn
    if turn not in chat.turns:
        chat.turns.append(turn)
        yield _turn_of(chat, turn, at_ns)


def _turn_of(chat: _Chat, turn: str, at_ns: int, prompts: int = 1) -> Turn:
    return Turn(
        source=_NAME,
        session=chat.session,
        turn=turn,
        start_ns=at_ns,
        project=chat.project,
        prompts=prompts,
    )


def _call(chat: _Chat, line: _Line, at_ns: int | None, path: Path) -> Said:
    if line.tokens is None:
        return  # It is under way; the message comes again when it is done.
    counts = fields.mapping(line.tokens)
    yield from fields.odd(counts.get(one) for one in _COUNTS)
    if at_ns is None:
        yield Skipped("a call without a time")
        return
    yield from _begin(chat, at_ns, path)
    own = chat.agent or chat.session
    yield Call(
        source=_NAME,
        session=chat.session,
        turn=chat.turn or "1",
        key=f"{own}:{fields.identifier(line.id) or at_ns}",
        start_ns=at_ns,
        model=fields.text(line.model),
        provider="gcp.gemini",
        role="main" if chat.agent is None else "subagent",
        agent=None if chat.agent is None else "subagent",
        agent_key=chat.agent,
        depth=1 if chat.agent is None else 2,
        usage=tokens(counts, _COUNTS),
    )


def _begin(chat: _Chat, at_ns: int, path: Path) -> Said:
    """Yield what the first call is part of, where nothing said so before."""
    if chat.agent is None:
        if chat.turn is None:
            chat.turn = "1"
            yield _turn_of(chat, "1", at_ns)
        return
    if chat.is_begun:
        return
    chat.is_begun, chat.turn = True, _turn_of_parent(chat, at_ns, path)
    if chat.turn is None:
        chat.turn = chat.agent
        yield _turn_of(chat, chat.agent, at_ns, prompts=0)
    yield Agent(
        source=_NAME,
        session=chat.session,
        turn=chat.turn,
        key=chat.agent,
        start_ns=at_ns,
        name="subagent",
    )


def _turn_of_parent(chat: _Chat, at_ns: int, path: Path) -> str | None:
    """Return the prompt that was under way in the parent's chat; None if that is not there."""
    if not _ID.fullmatch(chat.session):
        return None
    turn: str | None = None
    for file in sorted(path.parents[1].glob(f"session-*{chat.session[:8]}.json*")):
        for message in _messages(file):
            when = fields.moment_ns(message.timestamp)
            if message.type == "user" and when is not None and when <= at_ns:
                turn = fields.identifier(message.id) or str(when)
    return turn


def _messages(file: Path) -> Iterator[_Line]:
    try:
        text = file.read_bytes()
    except OSError:
        return
    for one in [text] if file.suffix == ".json" else text.split(b"\n"):
        line = decoded(_decoder, one) if one else None
        if line is not None:
            inner = (decoded(_decoder, bytes(one)) for one in line.messages or ())
            yield from filter(None, inner)
            yield line


def tokens(counts: dict[str, Any], names: Sequence[str]) -> TokenUsage:
    """Return a usage as Gemini has it: thoughts are output, and what tools said is input.

    Both are beside the counts of output and input, unless the total says that they are inside.

    Args:
        counts: As the log has them.
        names: What they are called there: input, output, cached, thoughts, tool and total.
    """
    prompt, made, cached, thought, used, total = (usage.count(counts.get(one)) for one in names)
    inside = (prompt or 0) + (made or 0)
    beside = [(thought or 0, used or 0), (thought or 0, 0), (0, used or 0), (0, 0)]
    more_out, more_in = next((one for one in beside if inside + sum(one) == total), beside[0])
    return fields.used(
        usage.inside(
            None if prompt is None else prompt + more_in,
            thought if made is None else made + more_out,
            cache_read=cached,
            reasoning=thought,
        )
    )
