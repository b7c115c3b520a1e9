"""The records of a Claude Code transcript: which lines count, and what of them is decoded.

A transcript is mostly text: what people and models wrote and what tools gave back. None of it is
decoded. Lines whose beginning says that they hold no usage and begin no turn are passed over
without looking at the rest.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final

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

_NAMES: Final = b"|".join(
    name.encode() for name in sorted(WITHOUT_USAGE - {"cost-state", "progress"})
)
# What is passed is not tried again in another way (``++``): half of the time would go into that.
_is_passed_over: Final = re.compile(
    rb'\{(?:"(?!type"|message"|attachment")[A-Za-z]++":'
    rb'(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|null|true|false|[0-9.]++),)*+(?:"type":"(?:' + _NAMES + rb')"'
    # What a tool gave back: a record of type user, but nothing that a person said.
    rb'|"type":"user","message":\{"role":"user","content":\[\{'
    rb'(?:"tool_use_id"|"type":"tool_result")'
    rb'|"attachment":\{)'
).match
"""Matches the beginnings of lines that cannot matter, as Claude Code writes them."""

Tokens = Annotated[int, msgspec.Meta(ge=0, le=10**12)] | None
Name = Annotated[str, msgspec.Meta(max_length=1000)] | None
Time = Annotated[datetime, msgspec.Meta(tz=True)] | None
Dollars = Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None


class Split(msgspec.Struct, gc=False):
    """Tokens that were written to the cache, by how long they are kept."""

    ephemeral_5m_input_tokens: Tokens = None
    ephemeral_1h_input_tokens: Tokens = None


class Details(msgspec.Struct, gc=False):
    """Parts of the output."""

    thinking_tokens: Tokens = None


class Counts(msgspec.Struct, gc=False):
    """Tokens of a call, as Anthropic counts them."""

    input_tokens: Tokens = None
    output_tokens: Tokens = None
    cache_creation_input_tokens: Tokens = None
    cache_read_input_tokens: Tokens = None
    cache_creation: Split | None = None
    output_tokens_details: Details | None = None


class Iteration(Counts, gc=False):
    """A step of a call, or a call that the provider made for it."""

    type: Name = None
    model: Name = None


class Usage(Counts, gc=False):
    """What a message says that it took."""

    inference_geo: Name = None
    iterations: list[Iteration] | None = None


class Message(msgspec.Struct, gc=False):
    """What was said, without what was said."""

    id: Name = None
    model: Name = None
    stop_reason: Name = None
    usage: Usage | None = None
    content: msgspec.Raw = msgspec.Raw()


class Inner(msgspec.Struct, gc=False):
    """A record inside a record of progress."""

    message: Message | None = None
    timestamp: Time = None
    requestId: Name = None  # noqa: N815 - as they spell it, here and below


class Data(msgspec.Struct, gc=False):
    """What a record of progress tells."""

    message: Inner | str | None = None
    agentId: Name = None  # noqa: N815


class Origin(msgspec.Struct, gc=False):
    """Who gave a prompt."""

    kind: Name = None


class Fork(msgspec.Struct, gc=False):
    """Where a record was copied from."""

    sessionId: Name = None  # noqa: N815
    messageUuid: Name = None  # noqa: N815


class ModelUsage(msgspec.Struct, gc=False):
    """What a session has used of a model so far."""

    inputTokens: Tokens = None  # noqa: N815
    outputTokens: Tokens = None  # noqa: N815
    cacheReadInputTokens: Tokens = None  # noqa: N815
    cacheCreationInputTokens: Tokens = None  # noqa: N815
    thinkingTokens: Tokens = None  # noqa: N815
    costUSD: Dollars = None  # noqa: N815


class Line(msgspec.Struct, gc=False):
    """A record: the fields that count."""

    type: Name = None
    message: Message | None = None
    data: Data | None = None
    uuid: Name = None
    timestamp: Time = None
    sessionId: Name = None  # noqa: N815
    requestId: Name = None  # noqa: N815
    promptId: Name = None  # noqa: N815
    entrypoint: Name = None
    origin: Origin | str | None = None
    cwd: Name = None
    gitBranch: Name = None  # noqa: N815
    forkedFrom: Fork | str | None = None  # noqa: N815
    error: Any = None
    costUSD: Dollars = None  # noqa: N815
    modelUsage: dict[str, ModelUsage] | None = None  # noqa: N815
    isSidechain: bool | None = None  # noqa: N815
    isMeta: bool | None = None  # noqa: N815
    isCompactSummary: bool | None = None  # noqa: N815
    isApiErrorMessage: bool | None = None  # noqa: N815


class _Block(msgspec.Struct, gc=False):
    type: Any = None


_decode: Final = msgspec.json.Decoder(Line).decode
_decode_blocks: Final = msgspec.json.Decoder(list[_Block]).decode
_NO_RECORD: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_REPAIRS_AT_MOST: Final = 50
_place_of: Final = re.compile(r"`\$\.([A-Za-z_.]+)").search


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
            except _NO_RECORD:
                yield from _odd(text[start:end])
        start = end + 1


def _odd(line: bytes) -> Iterator[Line | Skipped]:
    """Read what is left of a line that is broken."""
    # A program that is killed leaves half a line, and the next one goes on behind it.
    behind = line[max(line.rfind(b'{"parentUuid":'), 0) :]
    for part in (line, behind) if len(behind) < len(line) else (line,):
        try:
            said = msgspec.json.decode(part.decode("utf-8", "replace"))
        except _NO_RECORD:
            continue
        if isinstance(said, dict):
            if part is not line:
                yield Skipped("half a line")
            yield from _repaired(said)  # pyright: ignore[reportUnknownArgumentType]
            return
    if line.strip():
        yield Skipped(NO_JSON)


def _repaired(record: dict[str, Any]) -> Iterator[Line | Skipped]:
    """Yield a record without the fields that are not what they should be, and name the counts."""
    for _ in range(_REPAIRS_AT_MOST):
        try:
            line = _decode(msgspec.json.encode(record))
        except msgspec.ValidationError as error:
            place = _place_of(str(error))
            names = place[1].split(".") if place else []
        else:
            yield line
            return
        if not _drop(record, names):
            break
        if "usage" in names:
            yield Skipped(f"a count that cannot be ({names[-1]})")
    yield Skipped("a record that is not as expected")


def _drop(record: dict[str, Any], names: list[str]) -> bool:
    """Take away the field that *names* lead to; False if there is none."""
    inside: Any = record
    for name in names[:-1]:
        inside = inside.get(name) if isinstance(inside, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    if not names or not isinstance(inside, dict) or names[-1] not in inside:
        return False
    del inside[names[-1]]
    return True


def is_prompt(line: Line) -> bool:
    """Whether a record of type user is something that was asked, rather than a tool's answer."""
    if line.isMeta or line.isCompactSummary or line.isSidechain:
        return False
    content = bytes(line.message.content) if line.message else b""
    if content[:1] != b"[":
        return bool(content)
    try:
        blocks = _decode_blocks(content)
    except _NO_RECORD:
        return False
    return bool(blocks) and all(block.type != "tool_result" for block in blocks)


_FIRST_SECOND: Final = 1_577_836_800  # 2020: before any Claude Code
_LAST_SECOND: Final = 4_102_444_800  # 2100


def time_ns(said: datetime | None) -> int | None:
    """Return a time as nanoseconds; None for what is none, or cannot be."""
    if said is None:
        return None
    seconds = said.timestamp()
    # A float has the microseconds of our days, and no more.
    return int(seconds * 1e6 + 0.5) * 1000 if _FIRST_SECOND <= seconds < _LAST_SECOND else None
