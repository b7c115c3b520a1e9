"""Anthropic's messages protocol.

Its ``input_tokens`` excludes what the cache held and what was written to it; the counts of a stream
are cumulative.

Source: <https://docs.anthropic.com/en/api/messages>
"""

from typing import Any

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import Counts, Reply, counted, details, mapping, whole


class _Message(msgspec.Struct):
    """The fields that count; the decoder skips all others unread."""

    id: Any = None
    model: Any = None
    usage: Any = None


class _Event(msgspec.Struct):
    message: _Message | None = None
    usage: Any = None


class _Delta(msgspec.Struct):
    delta: dict[str, Any] | None = None


_message = msgspec.json.Decoder(_Message)
_event = msgspec.json.Decoder(_Event)
_delta = msgspec.json.Decoder(_Delta)


class Messages:
    """``POST …/messages``."""

    operation = semconv.CHAT
    provider = "anthropic"

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_message.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read ``message_start`` and the counts of the ``message_delta`` events, in order."""
        found = Reply(finished=b"message_stop" in data[-256:])
        for payload in reversed(list(events.latest_with(data, b'"usage"'))):
            event = _event.decode(payload) if payload else _Event()
            if event.message is not None:
                found = found.then(_reply(event.message))
            else:
                found = found.then(Reply(counts=mapping(event.usage)))
        return found

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
        deltas = (
            _delta.decode(payload).delta or {}
            for payload in events.payloads(data)
            if payload.startswith(b"{")
        )
        return sum(
            len(piece.encode())
            for delta in deltas
            for piece in (delta.get("text"), delta.get("thinking"), delta.get("partial_json"))
            if isinstance(piece, str)
        )


def _reply(message: _Message, *, finished: bool = False) -> Reply:
    return Reply(
        response_id=message.id if isinstance(message.id, str) else None,
        model=message.model if isinstance(message.model, str) else None,
        counts=mapping(message.usage),
        finished=finished,
    )
