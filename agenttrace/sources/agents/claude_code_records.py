"""The records of a Claude Code transcript: which lines count, and what of them is decoded.

A transcript is mostly text: what people and models wrote and what tools gave back. None of it is
decoded. Lines whose beginning says that they hold no usage and begin no turn are passed over
without looking at the rest.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import msgspec

from agenttrace.sources.source import Skipped

SYNTHETIC: Final = "<synthetic>"  # the model of messages that Claude Code wrote itself
NO_JSON: Final = "a line that is no JSON"

WITHOUT_USAGE: Final = frozenset(
    {
        "agent-color",
        "agent-name",
        "agent-setting",
        "ai-title",
        "artifact-comment-monitor",
        "atis-latch",
        "attachment",
        "attribution-snapshot",
        "bridge-session",
        "content-replacement",
        "cost-state",
        "custom-title",
        "file-history-delta",
        "file-history-snapshot",
        "last-prompt",
        "mode",
        "permission-mode",
        "pr-link",
        "progress",
        "queue-operation",
        "result",
        "speculation-accept",
        "started",
        "summary",
        "system",
        "tag",
        "task-summary",
        "worktree-state",
    }
)
"""Types of records that are known to tell of no call; ``progress`` may hold one inside."""

_PLAIN: Final = rb'"[A-Za-z]+":(?:"(?:[^"\\]|\\.)*"|null|true|false|[0-9.]+),'
_NAMES: Final = b"|".join(
    name.encode() for name in sorted(WITHOUT_USAGE - {"cost-state", "progress"})
)
_is_passed_over: Final = re.compile(
    rb'\{(?:"type":"(?:' + _NAMES + rb')"|(?:' + _PLAIN + rb")*?(?:"
    # What a tool gave back: a record of type user, but nothing that a person said.
    rb'"type":"user","message":\{"role":"user","content":\[\{'
    rb'(?:"tool_use_id"|"type":"tool_result")'
    rb'|"attachment":\{|"type":"system"))'
).match
"""Matches the beginnings of lines that cannot matter, as Claude Code writes them."""


class Message(msgspec.Struct, gc=False):
    """What was said, without what was said."""

    id: Any = None
    model: Any = None
    stop_reason: Any = None
    usage: Any = None
    role: Any = None
    content: msgspec.Raw = msgspec.Raw()


class Inner(msgspec.Struct, gc=False):
    """A record inside a record of progress."""

    message: Message | None = None
    type: Any = None
    uuid: Any = None
    timestamp: Any = None
    requestId: Any = None  # noqa: N815 - as they spell it, here and below


class Data(msgspec.Struct, gc=False):
    """What a record of progress tells."""

    message: Inner | None = None
    agentId: Any = None  # noqa: N815


class Line(msgspec.Struct, gc=False):
    """A record: the fields that count, whatever their type."""

    type: Any = None
    subtype: Any = None
    message: Message | None = None
    data: Data | None = None
    uuid: Any = None
    timestamp: Any = None
    sessionId: Any = None  # noqa: N815
    requestId: Any = None  # noqa: N815
    agentId: Any = None  # noqa: N815
    promptId: Any = None  # noqa: N815
    entrypoint: Any = None
    origin: Any = None
    cwd: Any = None
    gitBranch: Any = None  # noqa: N815
    forkedFrom: Any = None  # noqa: N815
    error: Any = None
    costUSD: Any = None  # noqa: N815
    totalCostUSD: Any = None  # noqa: N815
    modelUsage: Any = None  # noqa: N815
    isSidechain: Any = None  # noqa: N815
    isMeta: Any = None  # noqa: N815
    isCompactSummary: Any = None  # noqa: N815
    isApiErrorMessage: Any = None  # noqa: N815


class _Block(msgspec.Struct, gc=False):
    type: Any = None


_decode: Final = msgspec.json.Decoder(Line).decode
_decode_blocks: Final = msgspec.json.Decoder(list[_Block]).decode


def lines(text: bytes) -> Iterator[Line | Skipped]:
    """Yield the records of *text* that may count, and what is no record."""
    view = memoryview(text)
    start, size, find = 0, len(text), text.find
    while start < size:
        end = find(b"\n", start)
        if end < 0:
            end = size
        if end > start and not _is_passed_over(text, start, end):
            try:
                yield _decode(view[start:end])
            except (msgspec.DecodeError, RecursionError):
                yield from _odd(text[start:end])
        start = end + 1


def _odd(line: bytes) -> Iterator[Line | Skipped]:
    """Read what is left of a line that is broken."""
    # A program that is killed leaves half a line, and the next one goes on behind it.
    whole = max(line.rfind(b'{"parentUuid":'), line.rfind(b'{"type":'), 0)
    for part in (line, line[whole:]):
        try:
            yield _decode(part.decode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            continue
        if part is not line and whole:
            yield Skipped("half a line")
        return
    if line.strip():
        yield Skipped(NO_JSON)


def is_prompt(line: Line) -> bool:
    """Whether a record of type user is something that was asked, rather than a tool's answer."""
    if line.isMeta is True or line.isCompactSummary is True or line.isSidechain is True:
        return False
    content = bytes(line.message.content) if line.message else b""
    if content[:1] != b"[":
        return bool(content)
    try:
        blocks = _decode_blocks(content)
    except msgspec.DecodeError:
        return False
    return bool(blocks) and all(block.type != "tool_result" for block in blocks)


def text(said: object) -> str | None:
    """Return *said* if it is a name of some kind: text, not empty, and not endless."""
    return said if isinstance(said, str) and 0 < len(said) <= _NAME_AT_MOST else None


_NAME_AT_MOST: Final = 1000


def mapping(said: object) -> Mapping[str, Any]:
    """Return *said* if it is a JSON object, else an empty one."""
    return cast("Mapping[str, Any]", said) if isinstance(said, dict) else {}


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST_NS: Final = 1_577_836_800 * 10**9  # 2020: before any Claude Code
_LAST_NS: Final = 4_102_444_800 * 10**9  # 2100


def time_ns(said: object) -> int | None:
    """Return a time as nanoseconds; None for what is none, or cannot be."""
    if not isinstance(said, str):
        return None
    try:
        when = datetime.fromisoformat(said)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    found = (when - _EPOCH) // _MICROSECOND * 1000
    return found if _FIRST_NS <= found < _LAST_NS else None
