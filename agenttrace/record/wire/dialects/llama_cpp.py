"""The own protocol of llama.cpp's server; it speaks OpenAI's as well.

The prompt includes what was kept from an earlier request.

Source: <https://github.com/ggml-org/llama.cpp/tree/master/tools/server>
"""

from typing import Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import (
    Counts,
    Dialect,
    Reply,
    Route,
    all_decoded,
    counted,
    decoded,
    joined,
    mapping,
    said_only,
    shaped,
    token_count,
)


class _Completes(msgspec.Struct):
    prompt: str | list[Any] | dict[str, Any]


class _Infills(msgspec.Struct):
    input_prefix: str


class _Answer(msgspec.Struct):
    model: Any = None
    stop: Any = None
    tokens_evaluated: Any = None
    tokens_predicted: Any = None
    timings: Any = None


class _Said(msgspec.Struct):
    content: Any = None


_answer: Final = msgspec.json.Decoder(_Answer)
_said: Final = msgspec.json.Decoder(_Said)


class Completion(Dialect):
    """``POST /completion`` and ``/infill``."""

    operation: ClassVar = semconv.TEXT_COMPLETION
    provider: ClassVar = "llama_cpp"
    shapes: ClassVar = shaped(_Completes, _Infills)
    always_counts: ClassVar = True

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_answer.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the last event that has counts."""
        found = Reply()
        for payload in events.latest_with(data, b'"tokens_evaluated"'):
            answer = decoded(_answer, payload)
            found = _reply(answer, finished=answer is not None and answer.stop is True)
            if found.counts:
                break
        return found if found.finished else found.then(Reply(error=events.failure(data)))

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return counted(
            token_count(counts.get("tokens_evaluated")),
            token_count(counts.get("tokens_predicted")),
            cache_read=token_count(mapping(counts.get("timings")).get("cache_n")),
        )

    def text(self, data: bytes) -> str:
        """Return the text."""
        return joined(event.content for event in all_decoded(_said, events.payloads(data)))


def _reply(answer: _Answer | None, *, finished: bool) -> Reply:
    if answer is None:
        return Reply()
    # A model without an alias is called by the path of its file.
    model = answer.model.rpartition("/")[2] if isinstance(answer.model, str) else None
    return Reply(
        model=model or None,
        counts=said_only(
            tokens_evaluated=answer.tokens_evaluated,
            tokens_predicted=answer.tokens_predicted,
            timings=answer.timings,
        ),
        finished=finished,
    )


ROUTES: Final = (Route("POST", "/(?:completion|infill)", Completion()),)
