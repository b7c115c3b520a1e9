"""Amazon Bedrock's protocols: converse, which is the same for all models, and invoke, which is not.

Streams are frames. What is counted as input excludes what the cache held and what was written to
it. ``invoke`` passes on what each vendor's model says; Bedrock's own counts are in the headers of
the response, and in the last event of a stream.

Source: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html>
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import unquote

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import (
    Asked,
    Counts,
    Dialect,
    Reply,
    Route,
    all_decoded,
    counted,
    decoded,
    error_type,
    items,
    joined,
    mapping,
    said_only,
    token_count,
)
from agenttrace.record.wire.dialects import eventstream
from agenttrace.record.wire.dialects.anthropic import Messages
from agenttrace.record.wire.dialects.openai import Chat

_MODEL: Final = re.compile(r"/model/(.+)/[^/]+$")
_OF_THE_VENDOR: Final = ("foundation-model", "inference-profile")
_REQUEST_ID: Final = "x-amzn-requestid"
_COUNTING_HEADERS: Final = {
    "x-amzn-bedrock-input-token-count": "inputTokens",
    "x-amzn-bedrock-output-token-count": "outputTokens",
    "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokens",
    "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokens",
}
_METRICS: Final = {
    "inputTokenCount": "inputTokens",
    "outputTokenCount": "outputTokens",
    "cacheReadInputTokenCount": "cacheReadInputTokens",
    "cacheWriteInputTokenCount": "cacheWriteInputTokens",
}


class _Converse(msgspec.Struct):
    usage: Any = None
    trace: Any = None


class _Delta(msgspec.Struct):
    delta: Any = None


class _Part(msgspec.Struct):
    bytes: Any = None


class _Invoked(msgspec.Struct):
    """What the vendors' models say: a whole response, or one event of a stream."""

    id: Any = None
    model: Any = None
    usage: Any = None
    metadata: Any = None  # Nova, streaming
    prompt_token_count: Any = None  # Llama
    generation_token_count: Any = None
    input_text_token_count: Any = msgspec.field(default=None, name="inputTextTokenCount")  # Titan
    results: Any = None
    metrics: Any = msgspec.field(default=None, name="amazon-bedrock-invocationMetrics")


class _Said(msgspec.Struct):
    """Where the vendors' models put the text of an event."""

    generation: Any = None  # Llama
    output_text: Any = msgspec.field(default=None, name="outputText")  # Titan
    text: Any = None  # Cohere
    outputs: Any = None  # Mistral
    block: Any = msgspec.field(default=None, name="contentBlockDelta")  # Nova


_converse: Final = msgspec.json.Decoder(_Converse)
_delta: Final = msgspec.json.Decoder(_Delta)
_part: Final = msgspec.json.Decoder(_Part)
_invoked: Final = msgspec.json.Decoder(_Invoked)
_said: Final = msgspec.json.Decoder(_Said)
_messages: Final = Messages()
_chat: Final = Chat()


class _Bedrock(Dialect):
    """What they have in common: the path names the model, and a stream is frames."""

    provider: ClassVar = "aws.bedrock"
    streams: ClassVar = (eventstream.CONTENT_TYPE,)
    headers: ClassVar = (_REQUEST_ID, *_COUNTING_HEADERS)

    def asked(self, path: str, body: bytes) -> Asked:  # noqa: ARG002 - as in all dialects
        """Read the path."""
        found = _MODEL.search(unquote(path))
        return Asked(_model(found.group(1)) if found else None, stream=path.endswith("-stream"))

    def read_headers(self, headers: Mapping[str, str]) -> Reply:
        """Read Bedrock's own counts, and the id of the request: often there is no other."""
        counts = {
            name: int(value)
            for header, name in _COUNTING_HEADERS.items()
            if (value := headers.get(header, "")).isdecimal()
        }
        return Reply(headers.get(_REQUEST_ID), counts=counts)

    def begins_stream(self, data: bytes) -> bool:
        """Whether *data* begins with a frame."""
        return eventstream.begins(data)

    def whole(self, data: bytes) -> int:
        """Count whole frames."""
        return eventstream.whole(data)

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        uncached = token_count(counts.get("inputTokens"))
        # Amazon's own models end two of the names in Count.
        read = _either(counts, "cacheReadInputTokens", "cacheReadInputTokenCount")
        written = _either(counts, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
        return counted(
            None if uncached is None else uncached + (read or 0) + (written or 0),
            token_count(counts.get("outputTokens")),
            cache_read=read,
            cache_write=written,
            cache_write_1h=_kept_for_an_hour(counts),
        )


class Converse(_Bedrock):
    """``POST /model/{model}/converse`` and ``…/converse-stream``."""

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _conversed(_converse.decode(body))

    def read_events(self, data: bytes) -> Reply:
        """Read the counts from the last event, or how the stream failed."""
        found = Reply()
        for frame in eventstream.frames(data):
            if frame.headers.get(":event-type") == "metadata":
                found = found.then(_conversed(decoded(_converse, frame.payload)))
            else:
                found = found.then(Reply(error=_failure(frame)))
        return found

    def text(self, data: bytes) -> str:
        """Return text, reasoning and tool arguments."""
        payloads = (
            frame.payload
            for frame in eventstream.frames(data)
            if frame.headers.get(":event-type") == "contentBlockDelta"
        )
        return joined(
            piece
            for event in all_decoded(_delta, payloads)
            for piece in _block_texts(mapping(event.delta))
        )


class Invoke(_Bedrock):
    """``POST /model/{model}/invoke`` and ``…/invoke-with-response-stream``."""

    interim_counts: ClassVar = True

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response, whichever vendor's."""
        return _replied(_invoked.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read what the vendor's events say, and Bedrock's counts in the last one."""
        passed, error = _unpacked(data)
        if b'"message_start"' in passed or b'"message_delta"' in passed:
            found = _messages.read_events(passed)
        elif b'"choices"' in passed:
            found = _chat.read_events(passed)
        else:
            usages = events.latest_with(passed, b'"usage"')
            found = _replied(decoded(_invoked, next(usages, b"")), finished=False)
        for payload in events.latest_with(passed, b'"amazon-bedrock-invocationMetrics"'):
            last = decoded(_invoked, payload)
            counts = _renamed(mapping(last.metrics if last else None))
            return found.then(Reply(counts=counts, finished=True, error=error))
        return found.then(Reply(error=error))

    def beside(self, reply: Reply) -> tuple[Reply, ...]:
        """Return what only Anthropic's models tell of."""
        return _messages.beside(reply)

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output; the vendor's own say more."""
        if "input_tokens" in counts:
            return _messages.usage(counts)
        if "prompt_tokens" in counts:
            return _chat.usage(counts)
        return super().usage(counts)

    def text(self, data: bytes) -> str:
        """Return text and tool arguments, whichever vendor's."""
        passed, _ = _unpacked(data)
        if b'"content_block_delta"' in passed:
            return _messages.text(passed)
        if b'"choices"' in passed:
            return _chat.text(passed)
        said = all_decoded(_said, events.payloads(passed))
        return joined(piece for event in said for piece in _texts(event))


class Embeddings(Invoke):
    """The same of a model that embeds: there is no output."""

    operation: ClassVar = semconv.EMBEDDINGS

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into input alone."""
        given = super().usage(counts).input_tokens
        return counted(given, None if given is None else 0)


class Rerank(Embeddings):
    """The same of a model that ranks texts."""

    operation: ClassVar = semconv.RERANK


class GenerateImages(Invoke):
    """The same of a model that makes images, of which it counts no tokens."""

    operation: ClassVar = semconv.IMAGE_GENERATION


def _model(name: str) -> str:
    """Return the model's id; of an ARN what follows the account, for that is nobody's business."""
    if not name.startswith("arn:"):
        return name
    resource = name.split(":", 5)[-1]
    kind, _, own = resource.partition("/")
    return own if kind in _OF_THE_VENDOR else resource


def _either(counts: Counts, *names: str) -> int | None:
    return next(
        (count for name in names if (count := token_count(counts.get(name))) is not None), None
    )


def _kept_for_an_hour(counts: Counts) -> int | None:
    entries = [mapping(entry) for entry in items(counts.get("cacheDetails"))]
    found = [token_count(entry.get("inputTokens")) for entry in entries if entry.get("ttl") == "1h"]
    return sum(count for count in found if count is not None) if found else None


def _conversed(found: _Converse | None) -> Reply:
    """Return what the end of a conversation's turn says; a router tells whom it has asked."""
    if found is None:
        return Reply()
    routed = mapping(mapping(found.trace).get("promptRouter")).get("invokedModelId")
    model = _model(routed) if isinstance(routed, str) else None
    return Reply(model=model, counts=mapping(found.usage), finished=True)


def _replied(found: _Invoked | None, *, finished: bool) -> Reply:
    if found is None:
        return Reply()
    return Reply(
        response_id=found.id if isinstance(found.id, str) else None,
        model=found.model if isinstance(found.model, str) else None,
        counts=_counts(found),
        finished=finished,
    )


def _counts(found: _Invoked) -> Counts:
    """Return the vendor's usage object, or its loose counts as Bedrock spells them."""
    usage = mapping(found.usage) or mapping(mapping(found.metadata).get("usage"))
    if usage:
        return usage
    made = [token_count(mapping(one).get("tokenCount")) for one in items(found.results)]
    each = [count for count in made if count is not None]
    given = token_count(found.prompt_token_count)
    output = token_count(found.generation_token_count)
    return said_only(
        inputTokens=token_count(found.input_text_token_count) if given is None else given,
        outputTokens=sum(each) if output is None and each and len(each) == len(made) else output,
    )


def _renamed(metrics: Counts) -> Counts:
    return said_only(**{ours: metrics.get(theirs) for theirs, ours in _METRICS.items()})


def _unpacked(data: bytes) -> tuple[bytes, str | None]:
    """Return the vendor's events as server-sent ones, and the error that the stream ended in."""
    passed: list[bytes] = []
    error: str | None = None
    for frame in eventstream.frames(data):
        part = (
            decoded(_part, frame.payload) if frame.headers.get(":event-type") == "chunk" else None
        )
        if part is not None and isinstance(part.bytes, str):
            try:
                event = base64.b64decode(part.bytes)
            except (binascii.Error, ValueError):
                continue
            passed.append(b"data: " + event.replace(b"\n", b" ") + b"\n\n")
        error = _failure(frame) or error
    return b"".join(passed), error


def _failure(frame: eventstream.Frame) -> str | None:
    """Return the type of the error that a frame is, if it is one."""
    match frame.headers.get(":message-type"):
        case "exception":
            return error_type(frame.headers.get(":exception-type"), "exception")
        case "error":
            return error_type(frame.headers.get(":error-code"), "error")
        case _:
            return None


def _block_texts(delta: Counts) -> list[object]:
    return [
        delta.get("text"),
        mapping(delta.get("reasoningContent")).get("text"),
        mapping(delta.get("toolUse")).get("input"),
    ]


def _texts(event: _Said) -> list[object]:
    outputs = [mapping(one).get("text") for one in items(event.outputs)]
    block = _block_texts(mapping(mapping(event.block).get("delta")))
    return [event.generation, event.output_text, event.text, *outputs, *block]


# Its slashes are encoded, but not by every client.
_NAME: Final = "(?:[^/]+/){1,4}"
_INVOKE: Final = f"{_NAME}invoke(?:-with-response-stream)?"

# An embedding model is known by its name, unless that is an ARN of the user's own.
ROUTES: Final = (
    Route("POST", f"/model/{_NAME}converse(?:-stream)?", Converse()),
    Route("POST", f"/model/(?=.{{0,200}}embed){_INVOKE}", Embeddings()),
    Route("POST", f"/model/(?=.{{0,200}}rerank){_INVOKE}", Rerank()),
    Route(
        "POST",
        f"/model/(?=.{{0,200}}(?:stability\\.|titan-image|nova-canvas)){_INVOKE}",
        GenerateImages(),
    ),
    Route("POST", f"/model/{_INVOKE}", Invoke()),
)
