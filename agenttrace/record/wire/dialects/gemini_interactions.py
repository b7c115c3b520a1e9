"""Google's interactions: the same models as Gemini's content, and the same counts in other words.

Source: <https://ai.google.dev/api/interactions-api>
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
    decoded,
    joined,
    mapping,
    reply_of,
    shaped,
)
from agenttrace.record.wire.dialects.gemini import (
    INPUT,
    OUTPUT,
    VERSION,
    Google,
    Groups,
    asked_of,
    modalities_of,
    usage_of,
)

_COUNTS: Final = {
    "promptTokenCount": "total_input_tokens",
    "toolUsePromptTokenCount": "total_tool_use_tokens",
    "candidatesTokenCount": "total_output_tokens",
    "thoughtsTokenCount": "total_thought_tokens",
    "cachedContentTokenCount": "total_cached_tokens",
    "totalTokenCount": "total_tokens",
}
_MODALITIES: Final[Groups] = (
    ("input_tokens_by_modality", INPUT),
    ("tool_use_tokens_by_modality", INPUT),
    ("output_tokens_by_modality", OUTPUT),
)


class _Asks(Named):
    input: str | list[Any] | dict[str, Any]


class _AsksAgent(msgspec.Struct):
    agent: str
    input: str | list[Any] | dict[str, Any]


class _Event(msgspec.Struct):
    interaction: Envelope | None = None
    delta: Any = None


_envelope: Final = msgspec.json.Decoder(Envelope)
_event: Final = msgspec.json.Decoder(_Event)


class Interactions(Google):
    """``POST …/interactions``, which spells the same counts in its own way."""

    shapes: ClassVar = shaped(_Asks, _AsksAgent)

    def asked(self, path: str, body: bytes) -> Asked:
        """Read the model and the stream from the body."""
        found = Dialect.asked(self, path, body)
        return asked_of(path)._replace(model=found.model, stream=found.stream)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_envelope.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the interaction of the first event, and of the last that has counts."""
        opening = decoded(_event, events.first_payload(data))
        found = _reply(opening.interaction if opening else None)
        for payload in events.latest_with(data, b'"usage"'):
            event = decoded(_event, payload)
            reply = _reply(event.interaction if event else None, finished=True)
            if reply.counts:
                return found.then(reply)
        return found.then(Reply(error=events.failure(data)))

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return usage_of({ours: counts.get(theirs) for ours, theirs in _COUNTS.items()})

    def text(self, data: bytes) -> str:
        """Return the deltas."""
        return joined(
            mapping(event.delta).get(name)
            for event in all_decoded(_event, events.payloads(data))
            for name in ("text", "arguments")
        )


class Interaction(Interactions):
    """``GET …/interactions/{id}``: an interaction of the background, counted once it is done."""

    operation: ClassVar = semconv.FETCH_RESPONSE
    shapes: ClassVar = ()


def _reply(envelope: Envelope | None, *, finished: bool = False) -> Reply:
    found = reply_of(envelope, finished=finished)
    said = modalities_of(found.counts, _MODALITIES, "tokens")
    return found.then(Reply(said=said))


ROUTES: Final = (
    Route("POST", "/interactions", Interactions()),
    Route("GET", f"{VERSION}/(?:[^/]+/){{0,4}}interactions/[^/]+", Interaction()),
)
