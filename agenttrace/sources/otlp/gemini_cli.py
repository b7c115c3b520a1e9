"""What Gemini CLI sends: an event for each response with its role, and counters.

It logs prompts and answers unless told otherwise; nothing of them is looked at. The same response
is told of a second time in the words of the conventions, and by spans: both are left out, for
neither has a role.

Source: <https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/telemetry.md>
"""

from collections.abc import Iterator
from typing import Final

from agenttrace import semconv
from agenttrace.model import Role, TokenUsage
from agenttrace.sources import told
from agenttrace.sources.otlp import generic
from agenttrace.sources.otlp.attributes import Attributes
from agenttrace.sources.otlp.saying import begin_ns, text, time_ns, whole
from agenttrace.sources.otlp.seen import SeenEvent, SeenPoint, SeenSpan
from agenttrace.sources.told import Call, Turn
from agenttrace.sources.usage import count, inside

SOURCE: Final = "gemini"
TOKENS: Final = "gemini_cli.token.usage"
METRICS: Final = frozenset({TOKENS})
KEYS: Final = frozenset(
    {
        "cached_content_token_count",
        "duration_ms",
        "error_type",
        "event.name",
        "event.timestamp",
        "input_token_count",
        "model",
        "output_token_count",
        "prompt_id",
        "role",
        "session.id",
        "status_code",
        "thoughts_token_count",
        "tool_token_count",
        "total_token_count",
        "type",
    }
)

ROLES: Final[dict[str, Role]] = {
    "main": "main",
    "subagent": "subagent",
    "utility_tool": "tool",
    "utility_compressor": "compaction",
    "utility_state_snapshot_processor": "compaction",
    "utility_summarizer": "summary",
    "utility_router": "router",
    "utility_loop_detector": "guard",
    "utility_next_speaker": "router",
    "utility_edit_corrector": "tool",
    "utility_autocomplete": "other",
    "utility_fast_ack_helper": "other",
}
"""What a call is for: all the twelve that it knows."""

# A counter's type -> the counts that it is part of. The input has the cache in it; thoughts are
# beside the output, and what tools add to the prompt is beside the input.
_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "input": (semconv.INPUT_TOKENS,),
    "output": (semconv.OUTPUT_TOKENS,),
    "thought": (semconv.OUTPUT_TOKENS, semconv.REASONING_TOKENS),
    "cache": (semconv.CACHE_READ_TOKENS,),
    "tool": (semconv.INPUT_TOKENS,),
}


def role(said: str | None) -> Role:
    """Return what a call is for; a name that came later is ``other``."""
    return "main" if said is None else ROLES.get(said, "other")


def span(seen: SeenSpan) -> Iterator[bytes]:  # noqa: ARG001 - every call has its event
    """Yield nothing: spans repeat what events say."""
    return iter(())


def event(seen: SeenEvent) -> Iterator[bytes]:
    """Yield what an event tells of: a response, a failed request, or a prompt."""
    said = seen.attributes
    session = text(said, "session.id")
    if session is None:
        return
    match seen.name:
        case "gemini_cli.api_response":
            yield told.line(_call(seen, session, is_failed=False))
        case "gemini_cli.api_error":
            yield told.line(_call(seen, session, is_failed=True))
        case "gemini_cli.user_prompt":
            turn, at_ns = text(said, "prompt_id") or "", time_ns(said, seen.at_ns)
            # Its log says that a person prompted, at another moment; prompts of both would add up.
            yield told.line(
                Turn(source=SOURCE, session=session, turn=turn, start_ns=at_ns, prompts=None)
            )
        case _:
            return


def point(seen: SeenPoint) -> Iterator[bytes]:
    """Yield what the counter says, to hold calls against; it is none itself."""
    said = seen.attributes
    session = text(said, "session.id")
    keys = _TYPES.get(text(said, "type") or "", ())
    if session is not None and keys and seen.value == seen.value // 1:
        counted: Attributes = dict.fromkeys(keys, int(seen.value))
        yield generic.total(seen, SOURCE, session, text(said, "model"), counted)


def _call(seen: SeenEvent, session: str, *, is_failed: bool) -> Call:
    said = seen.attributes
    end_ns = time_ns(said, seen.at_ns)
    turn, model = text(said, "prompt_id") or "", text(said, "model")
    return Call(
        source=SOURCE,
        session=session,
        turn=turn,
        key=f"{session}/{turn}/{end_ns}/{text(said, 'role') or ''}",
        start_ns=begin_ns(end_ns, said),
        end_ns=end_ns,
        model=None if is_failed else model,
        request_model=model if is_failed else None,
        provider="gcp.gemini",
        operation=semconv.GENERATE_CONTENT,
        role=role(text(said, "role")),
        usage=TokenUsage() if is_failed else _usage(said),
        error_type=(text(said, "error_type") or "api_error") if is_failed else None,
        http_status=whole(said, "status_code"),
        capture="otlp",
    )


def _usage(said: Attributes) -> TokenUsage:
    given, tool = count(whole(said, "input_token_count")), count(whole(said, "tool_token_count"))
    made = count(whole(said, "output_token_count"))
    thought = count(whole(said, "thoughts_token_count"))
    return inside(
        None if given is None else given + (tool or 0),
        None if made is None else made + (thought or 0),
        cache_read=whole(said, "cached_content_token_count"),
        reasoning=thought,
    )
