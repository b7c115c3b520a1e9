"""Telemetry that GitHub Copilot writes to a file: ``~/.copilot/otel/*.jsonl``.

One response is told up to four times: by the span of the call, by an event of it, by an event of
the turn, and by the span of the agent. The first of them counts, and the others only where there is
none before them in the same trace; of events in no trace, by the id of the response.
"""

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from time import time_ns
from typing import Any, Final, Literal

import msgspec

from agenttrace import semconv
from agenttrace.sources import usage
from agenttrace.sources.agents import fields
from agenttrace.sources.agents.decoding import decoded
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Call, Record, Turn

_NAME: Final = "copilot"
_VARIABLE: Final = "COPILOT_OTEL_FILE_EXPORTER_PATH"
_SETTLED_NS: Final = 600 * 10**9  # after so long nothing more comes of a trace
_AT_MOST: Final = 5_000  # of what is kept between increments
_NO_PARENT: Final = {None, "", "0000000000000000"}

# Newest first, older spellings after it.
_CACHE_READ: Final = (semconv.CACHE_READ_TOKENS, "gen_ai.usage.cache_read_input_tokens")
_CACHE_WRITE: Final = (semconv.CACHE_WRITE_TOKENS, "gen_ai.usage.cache_creation.input_tokens")
_REASONING: Final = (semconv.REASONING_TOKENS, "gen_ai.usage.reasoning_tokens")
_SESSIONS: Final = (
    semconv.CONVERSATION_ID,
    "copilot_chat.session_id",
    "copilot_chat.chat_session_id",
    "session.id",
    "github.copilot.interaction_id",
)
_INFERENCE: Final = "gen_ai.client.inference.operation.details"
_TURN: Final = "copilot_chat.agent.turn"
# Its counts are those of the parent alone: <https://github.com/microsoft/vscode/issues/310878>.
_PARENT_ONLY: Final = "invoke_agent claude"

Kind = Literal["chat", "inference", "turn", "summary"]
_SPANS: Final[dict[str, Kind]] = {"chat": "chat", semconv.INVOKE_AGENT: "summary"}
_WORTH: Final[dict[Kind, int]] = {"chat": 4, "inference": 3, "turn": 2, "summary": 1}

Said = Generator[Record | Skipped, None, None]


class _Line(msgspec.Struct, gc=False, rename="camel"):
    """What is read of a span or an event; a time is a number, or seconds and nanoseconds."""

    type: Any = None
    name: Any = None
    trace_id: Any = None
    span_id: Any = None
    parent_span_id: Any = None
    span_context: Any = None
    start_time: Any = None
    end_time: Any = None
    start_time_unix_nano: Any = None
    end_time_unix_nano: Any = None
    hr_time: Any = None
    own_hr_time: Any = msgspec.field(name="_hrTime", default=None)
    timestamp: Any = None
    time_unix_nano: Any = None
    body: Any = None
    own_body: Any = msgspec.field(name="_body", default=None)
    attributes: Any = None

    @property
    def is_span(self) -> bool:
        """Whether it is a span, as it says, or as its fields do."""
        if isinstance(self.type, str):
            return self.type == "span"
        begins = self.start_time is not None or self.start_time_unix_nano is not None
        return isinstance(self.name, str) and begins


class _Seen(msgspec.Struct):
    """A telling of usage: a call, or what may stand for the calls of its trace."""

    kind: Kind
    trace: str
    session: str
    key: str
    start_ns: int
    end_ns: int | None
    model: str | None
    request_model: str | None
    provider: str | None
    response_id: str | None
    counts: dict[str, Any]


class _File(msgspec.Struct):
    """What is kept between increments.

    Attributes:
        calls: Keys of calls that were told by their span.
        told: By what the calls of each trace were told: their own spans, or what stands for them.
        waiting: What stands for the calls of other traces if no better comes.
        sessions: Session of each trace that said it.
        turns: Traces whose turn was told.
    """

    calls: dict[str, None] = {}
    told: dict[str, Kind] = {}
    waiting: list[_Seen] = []
    sessions: dict[str, str] = {}
    turns: dict[str, None] = {}

    def forget(self) -> None:
        """Let go of what is long past, so that a file of years does not fill the ledger."""
        for kept in (self.calls, self.told, self.sessions, self.turns):
            for key in list(kept)[:-_AT_MOST]:
                del kept[key]


_decoder: Final = msgspec.json.Decoder(_Line)


class Copilot:
    """The source."""

    name = _NAME
    form: Form = "lines"

    def roots(self, user: User) -> Iterable[Path]:
        """Return the folder of such files by convention, and the file that the user names."""
        named = user.variables.get(_VARIABLE)
        return [user.home / ".copilot" / "otel", *([Path(named).expanduser()] if named else [])]

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return the files in *root*."""
        return walk(root, lambda path: path.endswith(".jsonl"), unreadable)

    def read(self, piece: Piece) -> Said:
        """Yield what *piece* tells."""
        file = msgspec.convert(piece.state, _File)
        ended: set[str] = set()
        for text in piece.lines():
            if b'"scopeMetrics"' in text:
                continue  # They say nothing of single calls.
            line = decoded(_decoder, text)
            if line is None:
                yield Skipped(fields.NO_JSON)
            elif line.attributes is None:
                yield fields.unknown(line.type)
            else:
                yield from _told(file, line, ended)
        yield from _settled(file, ended)
        file.forget()
        piece.state.update(msgspec.to_builtins(file))


SOURCE: Final = Copilot()


def _told(file: _File, line: _Line, ended: set[str]) -> Said:
    attributes = fields.mapping(line.attributes)
    trace = _id(line, "traceId") or ""
    if trace and (session := _session(attributes)):
        file.sessions.setdefault(trace, session)
    kind = _kind(line, attributes)
    if kind == "summary" and line.parent_span_id in _NO_PARENT:
        ended.add(trace)
    if kind is None or (kind == "summary" and line.name == _PARENT_ONLY):
        return
    seen = _seen(file, line, kind, attributes)
    if seen is None:
        return
    yield from fields.odd(seen.counts.values())
    if kind != "chat":
        file.waiting.append(seen)
        return
    if trace:
        file.told[trace] = "chat"
    if seen.key not in file.calls:  # Some spans are exported again, in another trace.
        file.calls[seen.key] = None
        yield from _call(file, seen)


def _kind(line: _Line, attributes: dict[str, Any]) -> Kind | None:
    if line.is_span:
        operation = attributes.get(semconv.OPERATION_NAME) or str(line.name).partition(" ")[0]
        return _SPANS.get(str(operation))
    event = attributes.get("event.name") or line.body or line.own_body
    if not isinstance(event, str):
        return None
    if event == _INFERENCE or event.startswith("GenAI inference:"):
        return "inference"
    return "turn" if event.startswith(_TURN) else None


def _seen(file: _File, line: _Line, kind: Kind, attributes: dict[str, Any]) -> _Seen | None:
    counts = _counts(attributes)
    times = _times(line)
    start_ns, end_ns = (times[0], times[-1]) if times else (None, None)
    if start_ns is None or not any(value is not None for value in counts.values()):
        return None
    trace, span = _id(line, "traceId") or "", _id(line, "spanId") or ""
    response = fields.identifier(attributes.get(semconv.RESPONSE_ID))
    # Editors give one id to all responses of a turn, which their counts tell apart.
    own = f"{response}:{counts['input']}:{counts['output']}"
    return _Seen(
        kind=kind,
        trace=trace,
        session=_session(attributes) or file.sessions.get(trace) or trace or response or "",
        key=own if response is not None else f"{trace}:{span}:{start_ns}",
        start_ns=start_ns,
        end_ns=end_ns if line.is_span else None,
        model=fields.text(attributes.get(semconv.RESPONSE_MODEL)),
        request_model=fields.text(attributes.get(semconv.REQUEST_MODEL)),
        provider=fields.provider(
            attributes.get(semconv.PROVIDER_NAME) or attributes.get("gen_ai.system")
        ),
        response_id=response,
        counts=counts,
    )


def _counts(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        "input": attributes.get(semconv.INPUT_TOKENS),
        "output": attributes.get(semconv.OUTPUT_TOKENS),
        "cache_read": _first(attributes, _CACHE_READ),
        "cache_write": _first(attributes, _CACHE_WRITE),
        "reasoning": _first(attributes, _REASONING),
    }


def _first(attributes: dict[str, Any], keys: Iterable[str]) -> Any:
    return next((attributes[key] for key in keys if attributes.get(key) is not None), None)


def _session(attributes: dict[str, Any]) -> str | None:
    return fields.identifier(_first(attributes, _SESSIONS))


def _id(line: _Line, key: Literal["traceId", "spanId"]) -> str | None:
    own = line.trace_id if key == "traceId" else line.span_id
    return fields.text(own) or fields.text(fields.mapping(line.span_context).get(key))


def _times(line: _Line) -> list[int]:
    said = (
        line.start_time,
        line.start_time_unix_nano,
        line.end_time,
        line.end_time_unix_nano,
        line.hr_time,
        line.own_hr_time,
        line.timestamp,
        line.time_unix_nano,
    )
    return list(filter(None, map(_at_ns, said)))


def _at_ns(said: object) -> int | None:
    match said:
        case [int(seconds), int(nanoseconds)]:
            whole_ns = fields.moment_ns(seconds)
            return None if whole_ns is None else whole_ns + nanoseconds
        case _:
            return fields.moment_ns(said)


def _settled(file: _File, ended: set[str]) -> Iterator[Record]:
    """Yield what stands for the calls of traces of which nothing better will come.

    The span of the root agent comes last. Where it has not come, time tells.
    """
    before_ns = time_ns() - _SETTLED_NS
    ready = {seen.trace for seen in file.waiting if seen.trace in ended or not seen.trace}
    newest: dict[str, int] = {}
    for seen in file.waiting:
        newest[seen.trace] = max(newest.get(seen.trace, 0), seen.end_ns or seen.start_ns)
    ready |= {trace for trace, at_ns in newest.items() if at_ns < before_ns}
    groups: dict[tuple[str, str], list[_Seen]] = {}
    for seen in file.waiting:
        # What is in no trace is at least in a session, and says nothing of other ones.
        groups.setdefault((seen.trace, "" if seen.trace else seen.session), []).append(seen)
    file.waiting = []
    for (trace, _), group in groups.items():
        if trace not in ready and trace not in file.told:
            file.waiting += group
            continue
        for seen in _best(group, file.told.get(trace)):
            if seen.key not in file.calls:
                yield from _call(file, seen)
            if trace:
                file.told[trace] = seen.kind


def _best(group: list[_Seen], told: Kind | None) -> list[_Seen]:
    """Return what says most of the calls of a trace: their events, those of turns, or the sum.

    Args:
        group: What is there to choose from.
        told: By what calls of the trace were told before, which goes on if the trace does.
    """
    if told is not None:
        return [seen for seen in group if seen.kind == told != "summary"]
    for kind in ("inference", "turn"):
        if found := [seen for seen in group if seen.kind == kind]:
            return found
    # The sum of the root agent has those of its sub-agents in it.
    return [max(group, key=lambda seen: usage.count(seen.counts["input"]) or 0)]


def _call(file: _File, seen: _Seen) -> Iterator[Record]:
    turn = seen.trace or seen.response_id or seen.session
    if turn not in file.turns:
        file.turns[turn] = None
        yield Turn(source=_NAME, session=seen.session, turn=turn, start_ns=seen.start_ns)
    counts = seen.counts
    used = usage.inside(
        counts["input"],
        counts["output"],
        cache_read=counts["cache_read"],
        cache_write=counts["cache_write"],
        reasoning=counts["reasoning"],
    )
    yield Call(
        source=_NAME,
        session=seen.session,
        turn=turn,
        key=seen.key,
        start_ns=seen.start_ns,
        end_ns=seen.end_ns,
        model=seen.model,
        request_model=seen.request_model,
        provider=seen.provider,
        response_id=seen.response_id,
        usage=used,
        worth=_WORTH[seen.kind],
    )
