"""Google's protocols: Gemini at the Gemini API and at Vertex AI, and what else Vertex AI serves.

The prompt includes what was read from a cache; what tools put into the prompt and what the model
thought are counted beside prompt and candidates. Counts that are zero are left out. In a stream
they are cumulative.

Source: <https://ai.google.dev/api/generate-content#UsageMetadata>
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import unquote

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import (
    Asked,
    Counts,
    Dialect,
    Named,
    Reply,
    Route,
    all_decoded,
    counted,
    decoded,
    error_type,
    items,
    joined,
    mapping,
    region_of,
    shaped,
    token_count,
)
from agenttrace.record.wire.dialects.anthropic import Messages
from agenttrace.record.wire.dialects.openai import Chat

T = TypeVar("T")

_VERTEX: Final = "gcp.vertex_ai"
_MODEL: Final = re.compile(r"/(?:models/|(?=tunedModels/|endpoints/))([^:]+)")
_LOCATION: Final = re.compile(r"/locations/([^/]+)/")
# Up to the next brace outside of strings, or to a string that was cut.
_BRACE: Final = re.compile(rb'(?:[^"{}]|"(?:[^"\\]|\\.)*+")*+([{}"])', re.DOTALL)
_SERVER_SENT: Final = (b"data:", b"event:", b":")


class _Converses(msgspec.Struct):
    messages: list[Any]


class _Chunk(msgspec.Struct, rename="camel"):
    """A response, or one piece of it."""

    response_id: Any = None
    model_version: Any = None
    usage_metadata: Any = None


class _Candidate(msgspec.Struct, rename="camel"):
    finish_reason: Any = None


class _Ending(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] = []
    prompt_feedback: Any = None


class _Content(msgspec.Struct):
    parts: Any = None


class _Said(msgspec.Struct):
    content: _Content | None = None


class _Text(msgspec.Struct):
    candidates: list[_Said] = []


class _Failed(msgspec.Struct):
    error: Any = None


class _Embedding(msgspec.Struct):
    statistics: Any = None


class _Prediction(msgspec.Struct):
    embeddings: _Embedding | None = None


class _Embedded(msgspec.Struct, rename="camel"):
    usage_metadata: Any = None
    predictions: list[_Prediction] = []


class _Cache(msgspec.Struct, rename="camel"):
    name: Any = None
    usage_metadata: Any = None


class _InBatch(msgspec.Struct):
    response: _Chunk | None = None
    error: Any = None


class _Listed(msgspec.Struct, rename="camel"):
    inlined_responses: list[_InBatch] = []


class _Results(msgspec.Struct, rename="camel"):
    inlined_responses: _Listed | None = None


class _Metadata(msgspec.Struct):
    output: _Results | None = None


class _Batch(msgspec.Struct):
    """It repeats its results: where each operation of Google's has them, and in its metadata."""

    response: _Results | None = None
    metadata: _Metadata | None = None


_chunk: Final = msgspec.json.Decoder(_Chunk)
_ending: Final = msgspec.json.Decoder(_Ending)
_text: Final = msgspec.json.Decoder(_Text)
_failed: Final = msgspec.json.Decoder(_Failed)
_embedded: Final = msgspec.json.Decoder(_Embedded)
_cache: Final = msgspec.json.Decoder(_Cache)
_batch: Final = msgspec.json.Decoder(_Batch)


class Google(Dialect):
    """What they have in common: the path says what is asked of whom."""

    operation: ClassVar = semconv.GENERATE_CONTENT
    provider: ClassVar = "gcp.gemini"

    def asked(self, path: str, body: bytes) -> Asked:  # noqa: ARG002 - as in all dialects
        """Read the model, and at Vertex AI the region, from the path."""
        return asked_of(path)


class GenerateContent(Google):
    """``POST …:generateContent`` and ``…:streamGenerateContent``.

    A stream is server-sent events with ``alt=sse``, else a JSON array that grows.
    """

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_chunk.decode(body), finished=True)

    def begins_stream(self, data: bytes) -> bool:
        """Whether *data* are events, or an array."""
        return super().begins_stream(data) or data[:16].lstrip().startswith(b"[")

    def whole(self, data: bytes) -> int:
        """Count whole lines of events, or whole objects of an array."""
        if _is_server_sent(data):
            return super().whole(data)
        return max((end for _, end in _objects(data)), default=0)

    def read_events(self, data: bytes) -> Reply:
        """Read the last piece that has counts; each has the id and the model."""
        pieces = list(_pieces(data))
        found = _reply(next(_latest(_chunk, pieces, b'"responseId"'), None))
        for chunk in _latest(_chunk, pieces, b'"usageMetadata"'):
            reply = _reply(chunk)
            # At Vertex AI the pieces before the last have metadata without counts.
            if any(token_count(count) is not None for count in reply.counts.values()):
                found = found.then(reply)
                break
        if _is_over(pieces):
            return found.then(Reply(finished=True))
        return found.then(Reply(error=_failure(data)))

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return usage_of(counts)

    def text(self, data: bytes) -> str:
        """Return text, thoughts and calls of functions."""
        return joined(
            text
            for piece in all_decoded(_text, _pieces(data))
            for candidate in piece.candidates
            if candidate.content is not None
            for part in items(candidate.content.parts)
            for text in _texts(mapping(part))
        )


class Embeddings(Google):
    """``POST …:embedContent`` and ``…:batchEmbedContents``, at Vertex AI ``…:predict``."""

    operation: ClassVar = semconv.EMBEDDINGS

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response; Vertex AI counts each text."""
        found = _embedded.decode(body)
        counts = mapping(found.usage_metadata)
        texts = [_token_count(one) for one in found.predictions]
        each = [count for count in texts if count is not None]
        if each and len(each) == len(texts):
            counts = {**counts, "promptTokenCount": sum(each)}
        return Reply(counts=counts, finished=True)

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into input alone."""
        return _input_only(token_count(counts.get("promptTokenCount")))


class CreateCache(Google):
    """``POST …/cachedContents``: the model reads the prompt, and keeps it for later calls.

    Google charges these tokens as input once, and then for the time that they are kept.
    """

    operation: ClassVar = semconv.CREATE_CACHE
    shapes: ClassVar = shaped(Named)
    may_be_unseen: ClassVar = True

    def asked(self, path: str, body: bytes) -> Asked:
        """Read the model's name, which the body has with its folder."""
        found = Dialect.asked(self, path, body)
        model = found.model.rpartition("/")[2] if found.model else None
        return asked_of(path)._replace(model=model)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        found = _cache.decode(body)
        name = found.name if isinstance(found.name, str) else None
        return Reply(name, counts=mapping(found.usage_metadata), finished=True, role="other")

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the count into input that was written to a cache."""
        total = token_count(counts.get("totalTokenCount"))
        return counted(total, None if total is None else 0, cache_write=total)


class Batch(Google):
    """``GET …/batches/{id}`` of the Gemini API: the calls of a batch, once it is done."""

    operation: ClassVar = semconv.FETCH_RESPONSE

    def asked(self, path: str, body: bytes) -> Asked:  # noqa: ARG002 - as in all dialects
        """It asks for no model."""
        return Asked()

    def read_json(self, body: bytes) -> Reply:
        """Read the responses that lie in the batch itself, not in a file."""
        batch = _batch.decode(body)
        results = batch.response or (batch.metadata.output if batch.metadata else None)
        listed = results.inlined_responses if results else None
        found = listed.inlined_responses if listed else []
        return Reply(
            also=tuple(_reply(one.response, finished=True) for one in found if one.response)
        )

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return usage_of(counts)


class GenerateImages(Google):
    """``POST …:predict`` of an image model, which counts no tokens."""

    operation: ClassVar = semconv.IMAGE_GENERATION

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response: there is nothing in it that counts."""
        _failed.decode(body)
        return Reply(finished=True)

    def usage(self, counts: Counts) -> TokenUsage:  # noqa: ARG002 - as in all dialects
        """Say that nothing is counted."""
        return TokenUsage()


class VertexMessages(Messages):
    """``POST …/publishers/anthropic/models/{model}:rawPredict`` and ``:streamRawPredict``."""

    shapes: ClassVar = ()

    def asked(self, path: str, body: bytes) -> Asked:  # noqa: ARG002 - as in all dialects
        """Read the path."""
        return asked_of(path)


class VertexChat(Chat):
    """The same of the other publishers, who speak OpenAI's protocol."""

    shapes: ClassVar = shaped(_Converses)

    def asked(self, path: str, body: bytes) -> Asked:
        """Read the path, and whether the body asks for a stream."""
        found = asked_of(path)
        return found._replace(stream=found.stream or super().asked(path, body).stream)


def asked_of(path: str) -> Asked:
    """Return what a path asks for, of whom and where."""
    place = unquote(path)
    model, location = _MODEL.search(place), _LOCATION.search(place)
    region = region_of(location.group(1)) if location else None
    of_vertex = "/publishers/" in place or "/locations/" in place
    return Asked(
        model.group(1) if model else None,
        stream=":stream" in place,
        provider=_VERTEX if of_vertex else None,
        said={semconv.CLOUD_REGION: region} if region else {},
    )


def _reply(chunk: _Chunk | None, *, finished: bool = False) -> Reply:
    if chunk is None:
        return Reply()
    counts = mapping(chunk.usage_metadata)
    return Reply(
        response_id=chunk.response_id if isinstance(chunk.response_id, str) else None,
        model=chunk.model_version if isinstance(chunk.model_version, str) else None,
        counts=counts,
        finished=finished,
        said=modalities_of(counts, _MODALITIES, "tokenCount"),
    )


def usage_of(counts: Counts) -> TokenUsage:
    """Turn ``usageMetadata`` into inclusive input and output."""
    prompt = token_count(counts.get("promptTokenCount"))
    by_tools = token_count(counts.get("toolUsePromptTokenCount")) or 0
    visible = token_count(counts.get("candidatesTokenCount"))
    thoughts = token_count(counts.get("thoughtsTokenCount"))
    total = token_count(counts.get("totalTokenCount"))
    given = None if prompt is None else prompt + by_tools
    rest = None if total is None or given is None or total < given else total - given
    if visible is None:
        # Zero is left out, so what the total leaves is all there is.
        output = None if rest is None else max(rest, thoughts or 0)
    elif rest == visible:
        output = visible  # What was thought is in it, if anything was.
    else:
        output = visible + (thoughts or 0)
    read = token_count(counts.get("cachedContentTokenCount"))
    return counted(given, output, cache_read=read, reasoning=thoughts)


def _input_only(given: int | None) -> TokenUsage:
    return counted(given, None if given is None else 0)


INPUT: Final = {"AUDIO": semconv.INPUT_AUDIO_TOKENS, "IMAGE": semconv.INPUT_IMAGE_TOKENS}
OUTPUT: Final = {"AUDIO": semconv.OUTPUT_AUDIO_TOKENS, "IMAGE": semconv.OUTPUT_IMAGE_TOKENS}
Groups = Sequence[tuple[str, dict[str, str]]]
_MODALITIES: Final[Groups] = (
    ("promptTokensDetails", INPUT),
    ("toolUsePromptTokensDetails", INPUT),
    ("candidatesTokensDetails", OUTPUT),
)


def modalities_of(counts: Counts, groups: Groups, count: str) -> dict[str, int]:
    """Return how many of the tokens are audio and images.

    Args:
        counts: The usage object.
        groups: Its lists, and the attribute of each modality in them.
        count: What an entry calls its tokens.
    """
    found: dict[str, int] = {}
    for group, names in groups:
        for item in items(counts.get(group)):
            entry = mapping(item)
            name = names.get(str(entry.get("modality")).upper())
            tokens = token_count(entry.get(count))
            if name is not None and tokens is not None:
                found[name] = found.get(name, 0) + tokens
    return found


def _token_count(prediction: _Prediction) -> int | None:
    embedding = prediction.embeddings
    return token_count(mapping(embedding.statistics if embedding else None).get("token_count"))


def _texts(part: Counts) -> tuple[object, ...]:
    call = part.get("functionCall")
    return part.get("text"), msgspec.json.encode(call).decode() if call is not None else None


def _is_over(pieces: Sequence[bytes]) -> bool:
    """Whether a piece says why the model has ended, or why it did not begin."""
    ended = next(_latest(_ending, pieces, b'"finishReason"'), _Ending())
    blocked = next(_latest(_ending, pieces, b'"blockReason"'), _Ending())
    return any(one.finish_reason for one in ended.candidates) or bool(
        mapping(blocked.prompt_feedback).get("blockReason")
    )


def _failure(data: bytes) -> str | None:
    """Return the type of the error that the stream ended in; it may come as plain JSON."""
    if b'"error"' not in data:
        return None
    for start, end in reversed(list(_objects(data))):
        found = decoded(_failed, data[start:end])
        if error := mapping(found.error if found else None):
            return error_type(error.get("status"), error.get("code"))
    return None


def _is_server_sent(data: bytes) -> bool:
    return data[:64].lstrip().startswith(_SERVER_SENT)


def _latest(
    decoder: "msgspec.json.Decoder[T]", pieces: Sequence[bytes], needle: bytes
) -> Iterator[T]:
    """Yield the pieces that hold *needle*, the last one first."""
    return all_decoded(decoder, (piece for piece in reversed(pieces) if needle in piece))


def _pieces(data: bytes) -> Iterator[bytes]:
    """Yield the pieces of a stream, in order."""
    if _is_server_sent(data):
        return events.payloads(data)
    return (data[start:end] for start, end in _objects(data))


def _objects(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of each whole object that lies in no other."""
    depth, start = 0, 0
    for found in _BRACE.finditer(data):
        match found.group(1):
            case b"{":
                if depth == 0:
                    start = found.end() - 1
                depth += 1
            case b"}" if depth:
                depth -= 1
                if depth == 0:
                    yield start, found.end()
            case b'"':  # What follows is inside the string.
                return
            case _:
                pass


VERSION: Final = "/v1(?:alpha|beta)?[0-9]*"
_RAW: Final = "/models/[^/:]++:(?:rawPredict|streamRawPredict)"

ROUTES: Final = (
    Route("POST", "/[^/:]++:(?:generateContent|streamGenerateContent)", GenerateContent()),
    Route("POST", "/[^/:]++:(?:embedContent|batchEmbedContents)", Embeddings()),
    Route("POST", "/models/[^/:]*embedding[^/:]*+:predict", Embeddings()),
    Route("POST", "/models/(?:imagen|imagegeneration)[^/:]*+:predict", GenerateImages()),
    Route("POST", f"/publishers/anthropic(?!/models/count-tokens){_RAW}", VertexMessages()),
    Route("POST", f"/publishers/(?!anthropic/)[^/]+{_RAW}", VertexChat()),
    Route("POST", "/cachedContents", CreateCache()),
    Route("GET", f"{VERSION}/batches/[^/]+", Batch()),
)
