"""OpenAI's protocols: chat completions, responses and embeddings; many others speak them too.

Input includes what was read from the cache; output includes reasoning.

Source: <https://platform.openai.com/docs/api-reference>
"""

from typing import Any

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import Counts, Reply, counted, details, mapping, whole


class _Envelope(msgspec.Struct):
    """The fields that every response has; the decoder skips all others unread."""

    id: Any = None
    model: Any = None
    usage: Any = None


class _Event(msgspec.Struct):
    """One event of the responses API."""

    type: Any = None
    response: _Envelope | None = None
    delta: Any = None


class _Delta(msgspec.Struct):
    delta: dict[str, Any] | None = None
    text: Any = None


class _Chunk(msgspec.Struct):
    choices: list[_Delta] | None = None


_envelope = msgspec.json.Decoder(_Envelope)
_event = msgspec.json.Decoder(_Event)
_chunk = msgspec.json.Decoder(_Chunk)


class Chat:
    """``POST …/chat/completions``."""

    operation = semconv.CHAT
    provider = "openai"

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_envelope.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the id from the first chunk and the usage from the last one that has any."""
        found = Reply(finished=b"[DONE]" in data[-64:])
        first = events.first_payload(data)
        if first:
            found = found.then(_reply(_envelope.decode(first)))
        for payload in events.latest_with(data, b'"usage"'):
            # With include_usage every chunk but the last says "usage": null.
            reply = _reply(_envelope.decode(payload)) if payload else Reply()
            if reply.counts:
                return found.then(reply)
        return found

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        output = whole(counts.get("completion_tokens"))
        given = whole(counts.get("prompt_tokens"))
        total = whole(counts.get("total_tokens"))
        if output is None and given is not None and total is not None and total >= given:
            output = total - given
        return _usage(counts, given, output, "prompt_tokens_details", "completion_tokens_details")

    def text_bytes(self, data: bytes) -> int:
        """Count the bytes of the deltas."""
        return sum(
            _strings(choice.delta)
            for payload in events.payloads(data)
            if payload.startswith(b"{")
            for choice in _chunk.decode(payload).choices or ()
            if choice.delta
        )


class Embeddings(Chat):
    """``POST …/embeddings``: input only, so the total is the input."""

    operation = semconv.EMBEDDINGS


class Responses:
    """``POST …/responses``."""

    operation = semconv.CHAT
    provider = "openai"

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_envelope.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the response object of the first and of the last event that holds one."""
        found = Reply()
        first = events.first_payload(data)
        if first:
            opening = _event.decode(first).response
            found = _reply(opening) if opening else found
        for payload in events.latest_with(data, b'"usage"'):
            response = _event.decode(payload).response if payload else None
            reply = _reply(response, finished=True) if response else Reply()
            if reply.counts:
                return found.then(reply)
        return found

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return _usage(
            counts,
            whole(counts.get("input_tokens")),
            whole(counts.get("output_tokens")),
            "input_tokens_details",
            "output_tokens_details",
        )

    def text_bytes(self, data: bytes) -> int:
        """Count the bytes of the deltas."""
        deltas = (
            _event.decode(payload).delta
            for payload in events.payloads(data)
            if payload.startswith(b"{")
        )
        return sum(len(delta.encode()) for delta in deltas if isinstance(delta, str))


def _reply(envelope: _Envelope, *, finished: bool = False) -> Reply:
    return Reply(
        response_id=envelope.id if isinstance(envelope.id, str) else None,
        model=envelope.model if isinstance(envelope.model, str) else None,
        counts=mapping(envelope.usage),
        finished=finished,
    )


def _usage(
    counts: Counts, given: int | None, output: int | None, input_group: str, output_group: str
) -> TokenUsage:
    read, written = details(counts, input_group, "cached_tokens", "cache_write_tokens")
    (reasoning,) = details(counts, output_group, "reasoning_tokens")
    return counted(given, output, cache_read=read, cache_write=written, reasoning=reasoning)


def _strings(delta: dict[str, Any]) -> int:
    """Count the bytes of text, reasoning and tool arguments in one delta."""
    pieces = [delta.get(name) for name in ("content", "reasoning_content", "reasoning", "refusal")]
    for call in delta.get("tool_calls") or ():
        function = mapping(mapping(call).get("function"))
        pieces += [function.get("name"), function.get("arguments")]
    return sum(len(piece.encode()) for piece in pieces if isinstance(piece, str))
