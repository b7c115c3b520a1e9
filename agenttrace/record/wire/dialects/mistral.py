"""What Mistral has beside chat completions and embeddings, which it spells as OpenAI does.

Source: <https://docs.mistral.ai/api>
"""

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
    decoded,
    reply_of,
)
from agenttrace.record.wire.dialects.openai import Chat, usage_of


class _Event(msgspec.Struct):
    content: Any = None
    arguments: Any = None


_envelope = msgspec.json.Decoder(Envelope)
_event = msgspec.json.Decoder(_Event)


class Fim(Chat):
    """``POST …/fim/completions``: fills in what is missing between a prompt and a suffix."""

    provider: ClassVar = "mistral_ai"
    operation: ClassVar = semconv.TEXT_COMPLETION


class AgentChat(Chat):
    """``POST …/agents/completions``: a stored agent answers, which knows its model."""

    provider: ClassVar = "mistral_ai"

    def is_call(self, path: str, body: bytes | None) -> bool:  # noqa: ARG002 - known by its body
        """The body names the agent, not the model."""
        return body is not None and b'"agent_id"' in body


class Conversations(Dialect):
    """``POST …/conversations`` and what goes on with one.

    The usage is that of all that the model did until its answer, so it is one call. What is sent
    back is the id of the conversation; a response has none.
    """

    provider: ClassVar = "mistral_ai"

    def is_call(self, path: str, body: bytes | None) -> bool:  # noqa: ARG002 - known by its body
        """Other services have a path like this, so it is known by its body only."""
        return body is not None and b'"inputs"' in body

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return reply_of(_envelope.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read ``conversation.response.done``, which has the usage."""
        for payload in events.latest_object(data, b'"usage"'):
            return reply_of(decoded(_envelope, payload), finished=True)
        return Reply(error=events.failure(data))

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return usage_of(counts)

    def text_bytes(self, data: bytes) -> int:
        """Count the bytes of the deltas: text and tool arguments."""
        found = (decoded(_event, payload) for payload in events.payloads(data))
        return sum(
            events.text_bytes(event.content) + events.text_bytes(event.arguments)
            for event in found
            if event
        )


class Ocr(Conversations):
    """``POST …/ocr``: billed by the page, so its tokens stay unsaid."""

    operation: ClassVar = semconv.GENERATE_CONTENT

    def is_call(self, path: str, body: bytes | None) -> bool:  # noqa: ARG002 - known by its body
        """Other services have a path like this, so it is known by its body only."""
        return body is not None and b'"document"' in body


class ChatModerations(Conversations):
    """``POST …/chat/moderations``, ``…/classifications``: models that sort texts into classes."""

    operation: ClassVar = semconv.MODERATION

    def is_call(self, path: str, body: bytes | None) -> bool:  # noqa: ARG002 - known by its body
        """Other services have a path like this, so it is known by its body only."""
        return body is not None and b'"model"' in body and b'"input"' in body


_conversations: Final = Conversations()
_classes: Final = ChatModerations()

ROUTES: Final = (
    Route("POST", "/fim/completions", Fim()),
    Route("POST", "/agents/completions", AgentChat()),
    Route("POST", "/conversations", _conversations),
    Route("POST", "/conversations/[^/]+", _conversations),
    Route("POST", "/conversations/[^/]+/restart", _conversations),
    Route("POST", "/chat/moderations", _classes),
    Route("POST", "/classifications", _classes),
    Route("POST", "/chat/classifications", _classes),
    Route("POST", "/ocr", Ocr()),
)
