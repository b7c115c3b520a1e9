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
    Named,
    Reply,
    Route,
    all_decoded,
    decoded,
    joined,
    reply_of,
    shaped,
)
from agenttrace.record.wire.dialects.openai import Chat, usage_of


class _OfAgent(msgspec.Struct):
    agent_id: str


class _Begins(Named):
    inputs: str | list[dict[str, Any]]


class _BeginsWithAgent(_OfAgent):
    inputs: str | list[dict[str, Any]]


class _GoesOn(msgspec.Struct):
    inputs: str | list[dict[str, Any]]


class _Reads(Named):
    document: dict[str, Any]


class _Sorts(Named):
    input: str | list[Any] | dict[str, Any]


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
    shapes: ClassVar = shaped(_OfAgent)
    may_be_unseen: ClassVar = False


class Conversations(Dialect):
    """``POST …/conversations``.

    The usage is that of all that the model did until its answer, so it is one call. What is sent
    back is the id of the conversation; a response has none.
    """

    provider: ClassVar = "mistral_ai"
    shapes: ClassVar = shaped(_Begins, _BeginsWithAgent)

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

    def text(self, data: bytes) -> str:
        """Return the deltas: text and tool arguments."""
        said = all_decoded(_event, events.payloads(data))
        return joined(piece for event in said for piece in (event.content, event.arguments))


class Continued(Conversations):
    """``POST …/v1/conversations/{id}`` and ``…/restart``: the conversation knows its model."""

    shapes: ClassVar = shaped(_GoesOn)


class Ocr(Conversations):
    """``POST …/ocr``: billed by the page, so its tokens stay unsaid."""

    operation: ClassVar = semconv.GENERATE_CONTENT
    shapes: ClassVar = shaped(_Reads)


class ChatModerations(Conversations):
    """``POST …/chat/moderations``, ``…/classifications``: models that sort texts into classes."""

    operation: ClassVar = semconv.MODERATION
    shapes: ClassVar = shaped(_Sorts)


_continued: Final = Continued()
_classes: Final = ChatModerations()

ROUTES: Final = (
    Route("POST", "/fim/completions", Fim()),
    Route("POST", "/agents/completions", AgentChat()),
    Route("POST", "/conversations", Conversations()),
    Route("POST", "/v1/conversations/[^/]+", _continued),
    Route("POST", "/v1/conversations/[^/]+/restart", _continued),
    Route("POST", "/chat/moderations", _classes),
    Route("POST", "/classifications", _classes),
    Route("POST", "/chat/classifications", _classes),
    Route("POST", "/ocr", Ocr()),
)
