"""OpenCode: a database of messages; a file for each message before that.

``…/opencode/opencode*.db``, table ``message`` (id, session_id, data), where ``data`` is {role,
parentID (the prompt), modelID, providerID, mode, agent, summary, time{created, completed} in
milliseconds, tokens{input, output, reasoning, cache{read, write}, total}, cost, finish, error,
path{cwd}}; table ``session`` (id, parent_id, directory). The older
``storage/message/<session>/<message>.json`` is the same ``data`` with its ids inside, beside
``storage/session/<project>/<session>.json``. What was moved is in both, and is one call by its id.

The buckets are exclusive: the input leaves the cache out, the output the reasoning. Versions that
put the reasoning into the output show it by their total. A cost of 0 stands for one that is not
known. A fork is a session that begins with copies of another one's messages, under new ids and with
their times; they are left out. A session with a parent is a sub-agent, and its calls belong to the
turn in which it was started.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from agenttrace.model import Role, TokenUsage
from agenttrace.sources import databases, usage
from agenttrace.sources.agents import fields
from agenttrace.sources.agents.folders import names
from agenttrace.sources.agents.opencode_sessions import (
    Files,
    Rows,
    Session,
    Sessions,
    counts,
    last_before,
)
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Agent, Call, Record, Turn

_NAME: Final = "opencode"
_DEEPEST: Final = 32  # sub-agents in sub-agents; more is a ring
_OPEN_AT_MOST: Final = 500  # calls without an end that are looked at again
_ROLES: Final[Mapping[str, Role]] = {
    "compaction": "compaction",
    "summary": "summary",
    "title": "title",
}


class OpenCode:
    """Reads the databases and files of OpenCode."""

    name = _NAME
    form: Form = "database"

    def __init__(self) -> None:
        """Know no session yet."""
        self._files: dict[Path, Files] = {}

    def roots(self, user: User) -> Iterable[Path]:
        """Return where it keeps its data."""
        if said := user.variables.get("OPENCODE_DATA_DIR"):
            yield Path(said).expanduser()
        yield user.data / "opencode"

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return its databases, and the files of older messages; far more files hold contents."""
        self._files.clear()  # sessions may have come since
        if root.is_file():
            yield root
            return
        for name in names(root, unreadable):
            if name.startswith("opencode") and name.endswith(".db"):
                yield root / name
        yield from walk(root / "storage" / "message", _is_json, unreadable)

    def form_of(self, path: Path) -> Form:
        """Return how a file is read."""
        return "document" if path.suffix == ".json" else "database"

    def read(self, piece: Piece) -> Iterable[Record | Skipped]:
        """Yield what is new of a database, or what the file of a message tells."""
        if self.form_of(piece.path) == "document":
            return self._of_file(piece)
        return _of_database(piece)

    def _of_file(self, piece: Piece) -> Iterator[Record | Skipped]:
        said = fields.decode(piece.text)
        if said is None:
            yield Skipped(fields.NO_JSON)
            return
        folder = piece.path.parent
        storage = folder.parents[1] if len(folder.parents) > 1 else folder
        key = fields.text(said.get("id")) or piece.path.stem
        session = fields.text(said.get("sessionID")) or folder.name
        yield from _message(key, session, said, self._files.setdefault(storage, Files(storage)))


def _is_json(path: str) -> bool:
    return path.endswith(".json")


def _message(
    key: str, session: str, said: dict[str, Any], sessions: Sessions
) -> Iterator[Record | Skipped]:
    """Yield what a message tells."""
    times = fields.mapping(said.get("time"))
    start_ns = fields.moment_ns(times.get("created"))
    role = said.get("role")
    if role not in {"assistant", "user"}:
        yield fields.unknown(role)
    elif start_ns is None:
        yield Skipped("a message without time")
    elif role == "assistant":
        yield from _call(key, session, said, start_ns, sessions)


def _call(
    key: str, session: str, said: dict[str, Any], start_ns: int, sessions: Sessions
) -> Iterator[Record | Skipped]:
    line = _line(session, sessions)
    if start_ns < (line[0].start_ns or 0) and sessions.is_copy(key, said):
        yield Skipped("a call that a fork copied")
        return
    root, is_sub = line[-1], len(line) > 1
    role = _role(said, is_sub=is_sub)
    turn, turn_ns = _turn(said, start_ns, line, sessions, is_compaction=role == "compaction")
    agent = _agent_name(said) if is_sub else None
    if sessions.is_new("turn", root.key, turn):
        folder = fields.folder(fields.mapping(said.get("path")).get("cwd"))
        yield Turn(
            source=_NAME,
            session=root.key,
            turn=turn,
            start_ns=turn_ns or start_ns,
            project=root.project or folder,
        )
    if agent is not None and sessions.is_new("agent", session):
        yield _agent(line, turn, start_ns, agent)
    yield from fields.odd(counts(fields.mapping(said.get("tokens"))))
    call = Call(
        source=_NAME,
        session=root.key,
        turn=turn,
        key=key,
        start_ns=start_ns,
        role=role,
        agent=agent,
        agent_key=session if is_sub else None,
        depth=len(line),
    )
    yield _answered(call, said)


def _answered(call: Call, said: dict[str, Any]) -> Call:
    """Return *call* with what a message says of its answer."""
    end_ns = fields.moment_ns(fields.mapping(said.get("time")).get("completed"))
    error = _error(said.get("error"))
    return replace(
        call,
        end_ns=end_ns if end_ns is not None and end_ns >= call.start_ns else None,
        model=fields.text(said.get("modelID")),
        provider=fields.provider(said.get("providerID")),
        usage=_usage(fields.mapping(said.get("tokens"))),
        cost_usd=fields.cost_usd(said.get("cost")),
        outcome=_outcome(end_ns, error),
        error_type=error,
    )


def _line(session: str, sessions: Sessions) -> list[Session]:
    """Return a session and those that it was started by; the last one is a person's."""
    line = [sessions.session(session)]
    while (parent := line[-1].parent) is not None and len(line) < _DEEPEST:
        if any(one.key == parent for one in line):
            break
        line.append(sessions.session(parent))
    return line


def _turn(
    said: dict[str, Any],
    start_ns: int,
    line: list[Session],
    sessions: Sessions,
    *,
    is_compaction: bool,
) -> tuple[str, int | None]:
    """Return the turn of a call, of the session that a person talks with, and when it began."""
    prompts = sessions.prompts(line[-1].key)
    if len(line) > 1:
        return last_before(prompts, line[-2].start_ns or start_ns)
    named = fields.text(said.get("parentID"))
    at_ns = next((at_ns for at_ns, key in prompts if key == named), None)
    if at_ns is not None and is_compaction:
        return last_before(prompts, at_ns - 1)  # what it answers was no person's prompt
    if named is not None:
        return named, at_ns
    return last_before(prompts, start_ns)


def _agent(line: list[Session], turn: str, start_ns: int, name: str) -> Agent:
    own, parent = line[0], line[1]
    return Agent(
        source=_NAME,
        session=line[-1].key,
        turn=turn,
        key=own.key,
        start_ns=own.start_ns or start_ns,
        name=name,
        parent_key=None if parent is line[-1] else parent.key,
        depth=len(line),
    )


def _agent_name(said: dict[str, Any]) -> str:
    return fields.text(said.get("agent")) or fields.text(said.get("mode")) or "subagent"


def _role(said: dict[str, Any], *, is_sub: bool) -> Role:
    if said.get("summary") is True:
        return "compaction"
    for at in ("agent", "mode"):
        if (found := _ROLES.get(str(said.get(at)))) is not None:
            return found
    return "subagent" if is_sub else "main"


def _error(said: object) -> str | None:
    return (fields.code(fields.mapping(said).get("name")) or "error") if said else None


def _outcome(end_ns: int | None, error: str | None) -> str | None:
    if error is not None and error != "MessageAbortedError":
        return None
    return "complete" if end_ns is not None and error is None else "incomplete"


def _usage(tokens: dict[str, Any]) -> TokenUsage:
    given, output, cache_read, cache_write, reasoning = counts(tokens)
    without = sum(usage.count(one) or 0 for one in (given, output, cache_read, cache_write))
    return fields.used(
        usage.beside(
            given,
            output,
            cache_read=cache_read,
            cache_write=cache_write,
            reasoning=reasoning,
            is_reasoning_beside=usage.count(tokens.get("total")) != without,
        )
    )


def _of_database(piece: Piece) -> Iterator[Record | Skipped]:
    with databases.opened(piece.path) as database:
        known, still_open = Rows(database), list[str]()
        for at, key, session, data in _unread(database, piece.state):
            if at > piece.state["row"]:
                piece.state.update(row=at, id=key)
            said = fields.decode(data) if isinstance(data, (str, bytes)) else None
            if said is None:
                yield Skipped(fields.NO_JSON)
                continue
            if _is_open(said):
                still_open.append(str(key))
            yield from _message(str(key), str(session), said, known)
        piece.state["open"] = still_open[-_OPEN_AT_MOST:]
        yield from _newer(database, piece.state)


def _is_open(said: dict[str, Any]) -> bool:
    is_call = said.get("role") == "assistant"
    return is_call and fields.mapping(said.get("time")).get("completed") is None


def _unread(database: sqlite3.Connection, state: dict[str, Any]) -> sqlite3.Cursor:
    """Return the rows that are new, and those whose call had not ended when they were read."""
    last = state.setdefault("row", 0)
    found = database.execute("SELECT id FROM message WHERE rowid = ?", (last,)).fetchone()
    if found is None or found[0] != state.get("id"):
        # Rows are numbered anew when a database is packed.
        last = state["row"] = 0
    again: list[str] = state.get("open", []) if last else []
    marks = ", ".join("?" * len(again))
    return database.execute(
        "SELECT rowid, id, session_id, data FROM message "  # noqa: S608 - only question marks
        f"WHERE rowid > ? OR id IN ({marks}) ORDER BY rowid",
        (last, *again),
    )


def _newer(database: sqlite3.Connection, state: dict[str, Any]) -> Iterator[Skipped]:
    """Yield that messages are in a table which is not read, those not said before."""
    tables = database.execute("SELECT name FROM sqlite_master WHERE name = 'session_message'")
    if tables.fetchone() is None:
        return
    (number,) = database.execute("SELECT count(*) FROM session_message").fetchone()
    if number > state.get("newer", 0):
        yield Skipped("a row of table 'session_message'", number - state.get("newer", 0))
    state["newer"] = number


SOURCE: Final = OpenCode()
