"""pi: a transcript for each session; OpenClaw, which is built on it, writes the same records.

``~/.pi/agent/sessions/--<folder>--/<time>_<session>.jsonl``: a header ``session`` {id, cwd,
timestamp, parentSession}, then ``message`` records {id, timestamp, message{role, model, provider,
usage{input, output, cacheRead, cacheWrite, totalTokens, cost{total}}, timestamp, stopReason}}. The
input excludes the cache, the output includes the reasoning.

A fork begins with a copy of its parent's records, with their times; sub-agents leave copies of
transcripts as well. So a call is told by its time, its model and its tokens, which every copy has,
and not by its id: that is short, unique in one transcript only, and missing in old versions.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from agenttrace.sources import usage
from agenttrace.sources.agents import fields
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Call, Record, Turn

_COUNTS: Final = ("input", "output", "cacheRead", "cacheWrite")
# Records without a call.
_SILENT: Final = frozenset(
    {
        "branch_summary",
        "compaction",
        "custom_message",
        "label",
        "session_info",
        "thinking_level_change",
    }
)


class Pi:
    """Reads the transcripts of pi."""

    name = "pi"
    form: Form = "lines"

    def roots(self, user: User) -> Iterable[Path]:
        """Return where its sessions are."""
        return [user.folder("PI_CODING_AGENT_DIR", ".pi", "agent") / "sessions"]

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return all transcripts."""
        return walk(root, lambda path: path.endswith(".jsonl"), unreadable)

    def read(self, piece: Piece) -> Iterable[Record | Skipped]:
        """Yield what new lines of a transcript tell."""
        transcript = Transcript(self.name, _session_of(piece.path.name), piece.state)
        for line in piece.lines():
            yield from transcript.read(line)


class Transcript:
    """A transcript that is read record by record.

    Attributes:
        source: Whose it is.
        session: Its session, as its file is named; its header knows better.
        state: What is known of it so far, JSON values; it is changed.
    """

    def __init__(self, source: str, session: str, state: dict[str, Any]) -> None:
        """Go on with a transcript."""
        self.source = source
        self.session = session
        self.state = state

    def read(self, record: bytes | str) -> Iterator[Record | Skipped]:
        """Yield what a record tells."""
        said = fields.decode(record)
        if said is None:
            yield Skipped(fields.NO_JSON)
            return
        match said.get("type"):
            case "session":
                self._begin(said)
            case "message":
                yield from self._message(said, fields.mapping(said.get("message")))
            case "model_change":
                self._change_model(said)
            case "custom":
                if said.get("customType") == "model-snapshot":
                    self._change_model(fields.mapping(said.get("data")))
            case kind if kind not in _SILENT:
                yield fields.unknown(kind)
            case _:
                pass

    def _begin(self, said: dict[str, Any]) -> None:
        # A path, of Windows as well.
        parent = (fields.text(said.get("parentSession")) or "").replace("\\", "/")
        self.state["session"] = fields.text(said.get("id"))
        self.state["project"] = fields.folder(said.get("cwd"))
        self.state["forked_ns"] = fields.moment_ns(said.get("timestamp")) if parent else None
        self.state["parent"] = _session_of(parent.rpartition("/")[2]) or None

    def _change_model(self, said: dict[str, Any]) -> None:
        self.state["model"] = fields.text(said.get("modelId")) or fields.text(said.get("model"))
        self.state["provider"] = fields.text(said.get("provider"))

    def _message(self, said: dict[str, Any], message: dict[str, Any]) -> Iterator[Record | Skipped]:
        logged_ns = fields.moment_ns(said.get("timestamp"))
        start_ns = fields.moment_ns(message.get("timestamp")) or logged_ns
        role = message.get("role")
        if role == "assistant" and start_ns is None:
            yield Skipped("a call without time")
        elif role == "assistant" and start_ns is not None:
            yield from self._call(message, start_ns, logged_ns)
        elif role == "user" and start_ns is not None:
            self.state["turn"] = str(start_ns)  # copies have other ids, and the same times
            self.state["turn_ns"] = start_ns

    def _call(
        self, message: dict[str, Any], start_ns: int, logged_ns: int | None
    ) -> Iterator[Record | Skipped]:
        counts = fields.mapping(message.get("usage"))
        given, output, cache_read, cache_write = said = [counts.get(at) for at in _COUNTS]
        yield from fields.odd(said)
        used = fields.used(
            usage.beside(given, output, cache_read=cache_read, cache_write=cache_write)
        )
        session = self._session_at(logged_ns or start_ns)
        turn = self.state.get("turn") or "start"
        if self.state.get("told") != [session, turn]:
            self.state["told"] = [session, turn]
            yield Turn(
                source=self.source,
                session=session,
                turn=turn,
                start_ns=self.state.get("turn_ns") or start_ns,
                project=self.state.get("project"),
            )
        model = fields.text(message.get("model")) or self.state.get("model")
        yield Call(
            source=self.source,
            session=session,
            turn=turn,
            key=":".join(map(str, (start_ns, model, *said))),
            start_ns=start_ns,
            end_ns=logged_ns if logged_ns is not None and logged_ns > start_ns else None,
            model=model,
            provider=fields.provider(message.get("provider") or self.state.get("provider")),
            response_id=fields.text(message.get("responseId")),
            usage=used,
            cost_usd=fields.cost_usd(fields.mapping(counts.get("cost")).get("total")),
            **_ending(message.get("stopReason")),
        )

    def _session_at(self, at_ns: int) -> str:
        """Return the session that made a call: of a fork its parent, for what it copied."""
        forked_ns = self.state.get("forked_ns")
        if forked_ns is not None and at_ns < forked_ns and self.state.get("parent"):
            return str(self.state["parent"])
        return self.state.get("session") or self.session


def _ending(reason: object) -> dict[str, Any]:
    """Return how a response ended; of an error its text is left out."""
    if reason == "error":
        return {"error_type": "error"}
    if reason in {"aborted", "length"}:
        return {"outcome": "incomplete"}
    return {"outcome": "complete"} if reason else {}


def _session_of(name: str) -> str:
    """Return the session of a transcript's file name, which may have a time before it."""
    return name.partition(".jsonl")[0].rpartition("_")[2]


SOURCE: Final = Pi()
