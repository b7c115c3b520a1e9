"""What Codex sends: an event for each response, spans without a model, and counters for each turn.

Every event is sent twice, once with and once without what the user typed; both carry the same time
in an attribute, and their numbers are texts. Spans have the tokens as well, but neither a model nor
a conversation; where both arrive, they share the span that the event happened in, and the event is
believed.

Source: <https://github.com/openai/codex/tree/main/codex-rs/otel>
"""

from collections.abc import Iterator
from typing import Final

from agenttrace import semconv
from agenttrace.sources import told
from agenttrace.sources.otlp import generic
from agenttrace.sources.otlp.attributes import Attributes
from agenttrace.sources.otlp.saying import begin_ns, number, text, time_ns, whole
from agenttrace.sources.otlp.seen import SeenEvent, SeenPoint, SeenSpan
from agenttrace.sources.told import Call
from agenttrace.sources.usage import inside

SOURCE: Final = "codex"
TOKENS: Final = "codex.turn.token_usage"
METRICS: Final = frozenset({TOKENS})
KEYS: Final = frozenset(
    {
        "cache_write_token_count",
        "cached_token_count",
        "codex.usage.reasoning_output_tokens",
        "conversation.id",
        "duration_ms",
        "event.kind",
        "event.name",
        "event.timestamp",
        "gen_ai.request.model",
        "gen_ai.response.id",
        "input_token_count",
        "model",
        "output_token_count",
        "provider_name",
        "reasoning_token_count",
        "response.id",
        "response_id",
        "token_type",
        "tool_token_count",
        "turn.id",
        "turn_id",
    }
)
_COMPLETED: Final = "response.completed"
# Each is a sum over a turn, of calls that are told of one by one.
_SUMS: Final = frozenset({"run_turn", "session_task.turn", "turn"})
_TYPES: Final = {
    "input": semconv.INPUT_TOKENS,
    "output": semconv.OUTPUT_TOKENS,
    "cached_input": semconv.CACHE_READ_TOKENS,
    "reasoning_output": semconv.REASONING_TOKENS,
}


def span(seen: SeenSpan) -> Iterator[bytes]:
    """Yield what a span tells that has the tokens of a response; most are parts of a stream.

    One that names no conversation, as those of Codex 0.169 do not, is left to the event of the same
    response: nothing would tell that the two are one.
    """
    said = seen.attributes
    output = whole(said, semconv.OUTPUT_TOKENS)
    session = text(said, "conversation.id")
    if output is None or session is None or seen.name in _SUMS:
        return
    usage = inside(
        whole(said, semconv.INPUT_TOKENS),
        output,
        cache_read=whole(said, semconv.CACHE_READ_TOKENS),
        cache_write=whole(said, semconv.CACHE_WRITE_TOKENS),
        reasoning=whole(said, "codex.usage.reasoning_output_tokens", semconv.REASONING_TOKENS),
    )
    optional = {
        semconv.CONVERSATION_ID: session,
        semconv.TASK_ID: told.task_id(SOURCE, session, _turn(said)),
        semconv.RESPONSE_MODEL: text(said, "model", "gen_ai.request.model"),
        semconv.RESPONSE_ID: text(said, "gen_ai.response.id", "response.id", "response_id"),
        semconv.REQUEST_ID: _within(seen.trace_id, seen.span_id),
        **generic.tokens(usage),
    }
    attributes: Attributes = {
        semconv.KIND: "inference",
        semconv.OPERATION_NAME: semconv.CHAT,
        semconv.CAPTURE: "otlp",
        semconv.PROVIDER_NAME: "openai",
        semconv.ROLE: "main",
        semconv.TASK_NAME: SOURCE,
    }
    attributes.update({key: value for key, value in optional.items() if value is not None})
    seen.attributes = attributes
    seen.parent_span_id = None
    yield generic.of_dialect(seen, semconv.CHAT, SOURCE)


def event(seen: SeenEvent) -> Iterator[bytes]:
    """Yield what an event tells of: a response that is complete."""
    said = seen.attributes
    session = text(said, "conversation.id")
    if session is None:
        return
    if text(said, "event.kind") == _COMPLETED and whole(said, "output_token_count") is not None:
        yield told.line(_call(seen, session))


def point(seen: SeenPoint) -> Iterator[bytes]:
    """Yield what the counter of a turn says, if it says of which conversation."""
    said = seen.attributes
    session, key = text(said, "conversation.id"), _TYPES.get(text(said, "token_type") or "")
    if session is not None and key is not None and seen.value == seen.value // 1:
        counted: Attributes = {key: int(seen.value)}
        yield generic.total(seen, SOURCE, session, text(said, "model"), counted)


def _call(seen: SeenEvent, session: str) -> Call:
    said = seen.attributes
    end_ns = time_ns(said, seen.at_ns)
    response = text(said, "gen_ai.response.id", "response.id", "response_id")
    return Call(
        source=SOURCE,
        session=session,
        turn=_turn(said),
        key=response or f"{session}/{end_ns}",
        start_ns=begin_ns(end_ns, said),
        end_ns=end_ns if number(said, "duration_ms") is not None else None,
        model=text(said, "model"),
        provider=(text(said, "provider_name") or "openai").lower(),
        response_id=response,
        request_id=_within(seen.trace_id, seen.span_id),
        usage=inside(
            whole(said, "input_token_count"),
            whole(said, "output_token_count"),
            cache_read=whole(said, "cached_token_count"),
            cache_write=whole(said, "cache_write_token_count"),
            reasoning=whole(said, "reasoning_token_count"),
        ),
        capture="otlp",
    )


def _turn(said: Attributes) -> str:
    """Return the turn; all that do not say belong to the session."""
    return text(said, "turn.id", "turn_id") or ""


def _within(trace_id: str, span_id: str) -> str | None:
    """Return what a span and an event in it share; None where the event is in none."""
    return f"{trace_id}/{span_id}" if trace_id and span_id else None
