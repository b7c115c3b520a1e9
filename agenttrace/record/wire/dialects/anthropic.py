"""Anthropic's messages protocol.

Its ``input_tokens`` excludes what the cache held and what was written to it; the counts of a stream
are cumulative.

Source: <https://docs.anthropic.com/en/api/messages>
"""

from typing import Any, ClassVar, Final

import msgspec

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
    mapping,
    reply_of,
    whole,
)


class _Event(msgspec.Struct):
    message: Envelope | None = None
    usage: Any = None


class _Delta(msgspec.Struct):
    delta: Any = None


_message = msgspec.json.Decoder(Envelope)
_event = msgspec.json.Decoder(_Event)
_delta = msgspec.json.Decoder(_Delta)


class Messages(Dialect):
    """``POST …/messages``."""

    provider: ClassVar = "anthropic"
    interim_counts: ClassVar = True

    def is_call(self, path: str, body: bytes | None) -> bool:
        """Other services have a path like this, so it is known by its body only."""
        return body is not None and b'"messages"' in body and super().is_call(path, body)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return reply_of(_message.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read ``message_start`` and the counts of the ``message_delta`` events, in order."""
        found = Reply()
        for payload in reversed(list(events.latest_with(data, b'"usage"'))):
            event = decoded(_event, payload)
            if event is None:
                continue
            if event.message is not None:
                found = found.then(reply_of(event.message))
            elif counts := mapping(event.usage):
                # The counts of message_delta are final; it is the last event but one.
                found = found.then(Reply(counts=counts, finished=True))
        return found if found.finished else found.then(Reply(error=events.failure(data)))

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        uncached = whole(counts.get("input_tokens"))
        read = whole(counts.get("cache_read_input_tokens"))
        written = whole(counts.get("cache_creation_input_tokens"))
        (hour,) = details(counts, "cache_creation", "ephemeral_1h_input_tokens")
        (reasoning,) = details(counts, "output_tokens_details", "thinking_tokens")
        return counted(
            None if uncached is None else uncached + (read or 0) + (written or 0),
            whole(counts.get("output_tokens")),
            cache_read=read,
            cache_write=written,
            cache_write_1h=hour,
            reasoning=reasoning,
        )

    def text_bytes(self, data: bytes) -> int:
        """Count the bytes of the deltas: text, thinking and tool arguments."""
        found = (decoded(_delta, payload) for payload in events.payloads(data))
        return sum(
            events.text_bytes(mapping(event.delta).get(name))
            for event in found
            if event
            for name in ("text", "thinking", "partial_json")
        )


ROUTES: Final = (Route("POST", "/messages", Messages()),)
