"""OpenAI's protocols: chat completions, responses and embeddings; many others speak them too.

Input includes what was read from the cache; output includes reasoning.

Source: <https://platform.openai.com/docs/api-reference>
"""

from dataclasses import replace
from typing import Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import (
    Counts,
    Dialect,
    Envelope,
    Reply,
    Route,
    counted,
    decoded,
    details,
    items,
    mapping,
    reply_of,
    whole,
)


class _Event(msgspec.Struct):
    """One event of the responses API."""

    response: Envelope | None = None
    delta: Any = None


class _Chunk(msgspec.Struct):
    choices: Any = None


_envelope = msgspec.json.Decoder(Envelope)
_event = msgspec.json.Decoder(_Event)
_chunk = msgspec.json.Decoder(_Chunk)


class Chat(Dialect):
    """``POST …/chat/completions``."""

    def is_call(self, path: str, body: bytes | None) -> bool:
        """Azure names a deployment in the path, so its body may name no model."""
        return super().is_call(path, body) or "/deployments/" in path

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return reply_of(_envelope.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the id from the first chunk and the usage from the last one that has any."""
        done = events.ends_with_done(data)
        found = Reply(finished=done, error=None if done else events.failure(data))
        found = found.then(reply_of(decoded(_envelope, events.first_payload(data))))
        for payload in events.latest_with(data, b'"usage"'):
            # With include_usage every chunk but the last says "usage": null.
            reply = reply_of(decoded(_envelope, payload))
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
        usage = _usage(counts, given, output, "prompt_tokens_details", "completion_tokens_details")
        beside = usage.reasoning_tokens
        if beside and given is not None and output is not None and total == given + output + beside:
            # Some providers of this protocol count reasoning beside the completion, not in it.
            return replace(usage, output_tokens=output + beside)
        return usage

    def text_bytes(self, data: bytes) -> int:
        """Count the bytes of the deltas."""
        chunks = (decoded(_chunk, payload) for payload in events.payloads(data))
        return sum(
            _delta_bytes(mapping(mapping(choice).get("delta")))
            for chunk in chunks
            for choice in items(chunk.choices if chunk else None)
        )


class Embeddings(Chat):
    """``POST …/embeddings``: input only, so the total is the input."""

    operation: ClassVar = semconv.EMBEDDINGS

    def is_call(self, path: str, body: bytes | None) -> bool:
        """Unlike a chat, it is known by its body only."""
        return body is not None and super().is_call(path, body)


class Responses(Dialect):
    """``POST …/responses``."""

    def is_call(self, path: str, body: bytes | None) -> bool:
        """Other services have a path like this, so it is known by its body only."""
        return body is not None and super().is_call(path, body)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return reply_of(_envelope.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the response object of the first and of the last event that holds one."""
        opening = decoded(_event, events.first_payload(data))
        found = reply_of(opening.response if opening else None)
        for payload in events.latest_with(data, b'"usage"'):
            event = decoded(_event, payload)
            reply = reply_of(event.response if event else None, finished=True)
            if reply.counts:
                return found.then(reply)
        return found.then(Reply(error=events.failure(data)))

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
        found = (decoded(_event, payload) for payload in events.payloads(data))
        return sum(events.text_bytes(event.delta) for event in found if event)


def _usage(
    counts: Counts, given: int | None, output: int | None, input_group: str, output_group: str
) -> TokenUsage:
    read, written = details(counts, input_group, "cached_tokens", "cache_write_tokens")
    (reasoning,) = details(counts, output_group, "reasoning_tokens")
    return counted(given, output, cache_read=read, cache_write=written, reasoning=reasoning)


def _delta_bytes(delta: Counts) -> int:
    """Count the bytes of text, reasoning and tool arguments in one delta."""
    pieces = [delta.get(name) for name in ("content", "reasoning_content", "reasoning", "refusal")]
    for call in items(delta.get("tool_calls")):
        function = mapping(mapping(call).get("function"))
        pieces += [function.get("name"), function.get("arguments")]
    return sum(map(events.text_bytes, pieces))


ROUTES: Final = (
    Route("POST", "/chat/completions", Chat()),
    Route("POST", "/responses", Responses()),
    Route("POST", "/embeddings", Embeddings()),
)
