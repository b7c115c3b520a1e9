"""OpenAI's text protocols: chat completions, completions, responses and embeddings.

Many others speak them too, and spell the details in ways of their own: all spellings that are known
are read here. Input includes what was read from the cache; output includes reasoning.

Source: <https://platform.openai.com/docs/api-reference>; of the others, their API references and
the types of their SDKs.
"""

from typing import Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import (
    Asked,
    Counts,
    Dialect,
    Envelope,
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
    reply_of,
    shaped,
    token_count,
)


class _Completes(Named):
    prompt: str | list[Any]


class _Embeds(Named):
    input: str | list[Any]


class _EmbedsChat(Named):
    messages: list[Any]  # vLLM


class _Answers(Named):
    input: str | list[Any]


class _GoesOn(Named):
    previous_response_id: str


class _OfConversation(Named):
    conversation: str | dict[str, Any]


class _Stored(msgspec.Struct):
    id: str


class _FromStored(msgspec.Struct):
    """A stored prompt may bring the model with it."""

    prompt: _Stored


class _Decides(Named):
    questions: list[Any] | dict[str, Any]


class _Chunk(Envelope):
    x_groq: Any = None


class _Choices(msgspec.Struct):
    choices: Any = None


class _Response(Envelope):
    status: Any = None
    error: Any = None


class _Event(msgspec.Struct):
    """One event of the responses protocol."""

    type: Any = None
    response: _Response | None = None
    delta: Any = None


_chunk = msgspec.json.Decoder(_Chunk)
_choices = msgspec.json.Decoder(_Choices)
_response = msgspec.json.Decoder(_Response)
_event = msgspec.json.Decoder(_Event)


class Chat(Dialect):
    """``POST …/chat/completions``."""

    shapes: ClassVar = shaped(Named)
    may_be_unseen: ClassVar = True

    def is_call(self, path: str, body: bytes | None) -> bool:
        """Azure and Databricks name what answers in the path, so the body may name no model."""
        return _deployment(path) is not None or super().is_call(path, body)

    def asked(self, path: str, body: bytes) -> Asked:
        """Read the request; a deployment stands for the model that the body does not name."""
        asked = super().asked(path, body)
        return asked if asked.model is not None else asked._replace(model=_deployment(path))

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return reply_of(_chunk.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the id from the first chunk and the usage from the last one that has any."""
        done = events.ends_with_done(data)
        found = Reply(finished=done, error=None if done else events.failure(data))
        found = found.then(reply_of(decoded(_chunk, events.first_payload(data))))
        if not found.response_id:
            # Azure begins with what its filters say of the prompt, which has no id.
            found = found.then(_last(data, b'"choices"'))
        for payload in events.latest_object(data, b'"usage"'):
            reply = _with_usage(decoded(_chunk, payload))
            if reply.counts:
                return found.then(reply)
        return found

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return usage_of(counts)

    def text(self, data: bytes) -> str:
        """Return the deltas."""
        return joined(
            piece
            for chunk in all_decoded(_choices, events.payloads(data))
            for choice in items(chunk.choices)
            for piece in _texts(mapping(choice))
        )


class Completions(Chat):
    """``POST …/completions``, the older protocol without messages, which local servers keep."""

    operation: ClassVar = semconv.TEXT_COMPLETION
    shapes: ClassVar = shaped(_Completes)
    may_be_unseen: ClassVar = False


class Embeddings(Chat):
    """``POST …/embeddings``: input only, so the total is the input."""

    operation: ClassVar = semconv.EMBEDDINGS
    shapes: ClassVar = shaped(_Embeds, _EmbedsChat)
    may_be_unseen: ClassVar = False

    def usage(self, counts: Counts) -> TokenUsage:
        """Some servers give the total only."""
        usage = usage_of(counts)
        if usage.state != "missing":
            return usage
        total = token_count(counts.get("total_tokens"))
        return counted(total, None if total is None else 0)


class Responses(Dialect):
    """``POST …/responses``.

    One in the background has no usage yet: who fetches it learns it, and the fetched one lends it
    to this call.
    """

    shapes: ClassVar = shaped(_Answers, _GoesOn, _OfConversation, _FromStored)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_response.decode(body))

    def read_events(self, data: bytes) -> Reply:
        """Read the response object of the first and of the last event that holds one."""
        opening = decoded(_event, events.first_payload(data))
        found = reply_of(opening.response if opening else None)
        for payload in events.latest_object(data, b'"usage"'):
            event = decoded(_event, payload)
            reply = _reply(event.response if event else None)
            if reply.counts:
                return found.then(reply)
        return found.then(Reply(error=events.failure(data)))

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return usage_of(counts)

    def text(self, data: bytes) -> str:
        """Return the deltas; sound travels in them too."""
        return joined(
            event.delta
            for event in all_decoded(_event, events.payloads(data))
            if not str(event.type).endswith("audio.delta")
        )


class Fetched(Responses):
    """A response that was asked for before: fetched, followed as a stream, or cancelled."""

    operation: ClassVar = semconv.FETCH_RESPONSE
    shapes: ClassVar = ()


class Compaction(Responses):
    """``POST …/responses/compact``: a model sums up the conversation so far."""

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response; it does not name the model."""
        return super().read_json(body).then(Reply(role="compaction"))


class Decisions(Responses):
    """``POST …/decisions``: a model answers questions by probabilities."""

    shapes: ClassVar = shaped(_Decides)


def usage_of(counts: Counts) -> TokenUsage:
    """Turn the counts of any of OpenAI's protocols into inclusive input and output.

    Where a part is larger than its whole, or the total says so, the server counts the part beside
    the whole (xAI its reasoning, some gateways their cache).
    """
    given = _count(counts, "prompt_tokens", "input_tokens")
    output = _count(counts, "completion_tokens", "output_tokens")
    total = token_count(counts.get("total_tokens"))
    if output is None and given is not None and total is not None and total >= given:
        output = total - given
    read, written = _part(counts, _CACHE_READ), _part(counts, _CACHE_WRITE)
    reasoning = _part(counts, _REASONING)
    thoughts, cached = reasoning or 0, (read or 0) + (written or 0)
    if given is not None and output is not None:
        beside = 0 if total is None else total - given - output
        if thoughts > output or (thoughts and beside in (thoughts, thoughts + cached)):
            output += thoughts
            beside -= thoughts
        if cached > given or (cached and beside == cached):
            given += cached
    return counted(given, output, cache_read=read, cache_write=written, reasoning=reasoning)


# (group, name): a count inside an object; without a group, beside the others.
_CACHE_READ: Final = (
    ("prompt_tokens_details", "cached_tokens"),
    ("input_tokens_details", "cached_tokens"),
    ("input_token_details", "cached_tokens"),  # the realtime protocol
    ("input_tokens_details", "cache_read_input_tokens"),  # Perplexity
    ("", "prompt_cache_hit_tokens"),  # DeepSeek
    ("", "cached_tokens"),  # Moonshot, Together
    ("", "cache_read_input_tokens"),  # gateways to Anthropic
)
_CACHE_WRITE: Final = (
    ("prompt_tokens_details", "cache_write_tokens"),
    ("input_tokens_details", "cache_write_tokens"),
    ("prompt_tokens_details", "cache_creation_input_tokens"),  # Qwen
    ("input_tokens_details", "cache_creation_input_tokens"),  # Perplexity
    ("", "cache_creation_input_tokens"),
)
_REASONING: Final = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
    ("", "reasoning_tokens"),  # Perplexity
)


def _part(counts: Counts, spellings: tuple[tuple[str, str], ...]) -> int | None:
    """Return the first of *spellings* that is there."""
    for group, name in spellings:
        inner = mapping(counts.get(group)) if group else counts
        if name in inner and (count := token_count(inner[name])) is not None:
            return count
    return None


def _count(counts: Counts, name: str, other: str) -> int | None:
    """Return the count *name*, or what newer protocols call it."""
    found = token_count(counts.get(name))
    return token_count(counts.get(other)) if found is None else found


def _with_usage(chunk: _Chunk | None) -> Reply:
    """Return what a chunk says; Groq puts the usage of a stream into a member of its own."""
    reply = reply_of(chunk)
    if chunk is None or reply.counts:
        return reply
    inner = mapping(chunk.x_groq)
    return reply.then(reply_of(Envelope(usage=inner.get("usage"))))


def _last(data: bytes, needle: bytes) -> Reply:
    for payload in events.latest_with(data, needle):
        return reply_of(decoded(_chunk, payload))
    return Reply()


def _reply(response: _Response | None) -> Reply:
    """Return what a response object says; one that goes on in the background is not over."""
    if response is None:
        return Reply()
    reply = reply_of(response, finished=response.status not in ("queued", "in_progress"))
    if response.status != "failed":
        return reply
    error = mapping(response.error)
    return reply.then(Reply(error=error_type(error.get("code"), error.get("type"), "failed")))


def _deployment(path: str) -> str | None:
    """Return what the path says will answer: Azure's deployment, Databricks' endpoint."""
    for parent in ("/deployments/", "/serving-endpoints/"):
        _, found, rest = path.partition(parent)
        name = rest.partition("/")[0]
        if found and name and "/" in rest:
            return name
    return None


def _texts(choice: Counts) -> list[Any]:
    """Return text, reasoning and tool arguments in a piece of one choice."""
    delta = mapping(choice.get("delta"))
    pieces = [delta.get(name) for name in ("content", "reasoning_content", "reasoning", "refusal")]
    pieces += [choice.get("text"), mapping(delta.get("audio")).get("transcript")]
    for call in items(delta.get("tool_calls")):
        function = mapping(mapping(call).get("function"))
        pieces += [function.get("name"), function.get("arguments")]
    return pieces


_responses: Final = Responses()
_fetched: Final = Fetched()

ROUTES: Final = (
    Route("POST", "/chat/completions", Chat()),
    Route("POST", "/serving-endpoints/[^/]+/invocations", Chat()),
    Route("POST", "/completions", Completions()),
    Route("POST", "/embeddings", Embeddings()),
    Route("POST", "/responses", _responses),
    Route("POST", "/responses/compact", Compaction()),
    Route("GET", "/responses/[^/]+", _fetched),
    Route("POST", "/responses/[^/]+/cancel", _fetched),
    Route("POST", "/decisions", Decisions()),
)
