"""What Claude Code sends: events of its calls, spans of them (beta), and counters.

An event names the prompt that it belongs to, a span does not. Of a call that both tell of the event
is believed; they share the id of the request. A failed request is told of once, after its last
attempt, and the event of exhausted retries repeats that.

Source: <https://code.claude.com/docs/en/monitoring-usage>
"""

from collections.abc import Iterator
from typing import Final

from agenttrace import semconv
from agenttrace.model import Role, TokenUsage
from agenttrace.sources import told
from agenttrace.sources.otlp import generic
from agenttrace.sources.otlp.attributes import Attributes
from agenttrace.sources.otlp.saying import begin_ns, number, text, whole
from agenttrace.sources.otlp.seen import SeenEvent, SeenPoint, SeenSpan
from agenttrace.sources.told import Agent, Call, Turn
from agenttrace.sources.usage import beside

SOURCE: Final = "claude-code"
PREFIX: Final = "claude_code."
TOKENS: Final = "claude_code.token.usage"
COST: Final = "claude_code.cost.usage"
METRICS: Final = frozenset({TOKENS, COST})
KEYS: Final = frozenset(
    {
        "agent.name",
        "agent_id",
        "attempt",
        "cache_creation_tokens",
        "cache_read_tokens",
        "client_request_id",
        "cost_usd",
        "duration_ms",
        "event.name",
        "event.sequence",
        "input_tokens",
        "model",
        "output_tokens",
        "parent_agent_id",
        "prompt.id",
        "query_source",
        "request_id",
        "session.id",
        "status_code",
        "stop_reason",
        "success",
        "ttft_ms",
        "type",
    }
)

_ROLES: Final[dict[str, Role]] = {
    "": "main",
    "main": "main",
    "repl_main_thread": "main",
    "sdk": "main",
    "subagent": "subagent",
    "verification_agent": "subagent",
    "hook_agent": "subagent",
    "workflow": "subagent",
    "compact": "compaction",
    "marble_origami": "compaction",
    "agent_summary": "summary",
    "away_summary": "summary",
    "tool_use_summary_generation": "summary",
    "generate_session_title": "title",
    "rename_generate_name": "title",
    "teleport_generate_title": "title",
    "chrome_mcp": "tool",
    "mcp_datetime_parse": "tool",
    "web_fetch_apply": "tool",
    "web_search_tool": "tool",
    "auto_mode": "guard",
    "auto_mode_critique": "guard",
    "bash_extract_prefix": "guard",
    "hook_prompt": "guard",
    "permission_explainer": "guard",
    "agent_creation": "other",
    "auto_dream": "other",
    "auxiliary": "other",
    "extract_memories": "other",
    "feedback": "other",
    "insights": "other",
    "magic_docs": "other",
    "memdir_relevance": "other",
    "model_validation": "other",
    "prompt_suggestion": "other",
    "quota": "other",
    "session_memory": "other",
    "session_search": "other",
    "side_question": "other",
    "skill_improvement_apply": "other",
    "speculation": "other",
    "unknown": "other",
}
"""``query_source`` -> what a call is for. Whatever is not here is the name of an agent."""

# A counter's type -> the counts that it is part of: the input of Anthropic excludes the cache.
_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "input": (semconv.INPUT_TOKENS,),
    "output": (semconv.OUTPUT_TOKENS,),
    "cacheRead": (semconv.INPUT_TOKENS, semconv.CACHE_READ_TOKENS),
    "cacheCreation": (semconv.INPUT_TOKENS, semconv.CACHE_WRITE_TOKENS),
}


def role(query_source: str | None, agent: str | None = None) -> Role:
    """Return what the calls of a subsystem are for."""
    said = query_source or ""
    if said.startswith("repl_main_thread"):  # one for each style of output
        return "main"
    found = _ROLES.get(said, "subagent")
    return "subagent" if found == "main" and agent is not None else found


def span(seen: SeenSpan) -> Iterator[bytes]:
    """Yield what a span tells: only those of requests say something that events do not repeat."""
    said = seen.attributes
    if seen.name != "claude_code.llm_request":
        return
    session = text(said, "session.id") or seen.trace_id
    request = text(said, "request_id")
    agent = _agent(said)
    attributes: Attributes = {
        semconv.KIND: "inference",
        semconv.OPERATION_NAME: semconv.CHAT,
        semconv.CAPTURE: "otlp",
        semconv.PROVIDER_NAME: "anthropic",
        semconv.CONVERSATION_ID: session,
        semconv.TASK_ID: told.task_id(SOURCE, session, text(said, "prompt.id") or seen.trace_id),
        semconv.TASK_NAME: SOURCE,
        semconv.ROLE: role(text(said, "query_source"), agent),
        semconv.AGENT_DEPTH: 1 if agent is None else 2,
    }
    model, attempt = text(said, "model"), whole(said, "attempt")
    status, first_ms = whole(said, "status_code"), number(said, "ttft_ms")
    optional = {
        semconv.REQUEST_MODEL: model,
        semconv.RESPONSE_MODEL: None if seen.is_failed else model,
        semconv.REQUEST_ID: request,
        semconv.AGENT_NAME: agent,
        semconv.ATTEMPT: attempt,
        semconv.HTTP_STATUS: status,
        semconv.ERROR_TYPE: _error_type(status) if seen.is_failed else None,
        semconv.TIME_TO_FIRST_CHUNK: None if first_ms is None else first_ms / 1000,
        **generic.tokens(_usage(said)),
    }
    attributes.update({key: value for key, value in optional.items() if value is not None})
    seen.attributes = attributes
    seen.parent_span_id = None
    yield generic.of_dialect(seen, semconv.CHAT, SOURCE)


def event(seen: SeenEvent) -> Iterator[bytes]:
    """Yield what an event tells of: a call, a failed one, or a prompt."""
    name = seen.name.removeprefix(PREFIX)
    session = text(seen.attributes, "session.id")
    if session is None:
        return
    if name == "user_prompt":
        prompt = text(seen.attributes, "prompt.id")
        if prompt is not None:
            # Its log says that a person prompted, at another moment; prompts of both would add up.
            yield told.line(
                Turn(
                    source=SOURCE,
                    session=session,
                    turn=prompt,
                    start_ns=seen.at_ns,
                    prompts=None,
                )
            )
    elif name in ("api_request", "api_error"):
        yield from _call(seen, session, is_failed=name == "api_error")


def point(seen: SeenPoint) -> Iterator[bytes]:
    """Yield what a counter says, to hold calls against; it is none itself."""
    said = seen.attributes
    session = text(said, "session.id")
    if session is None:
        return
    counted: Attributes = {}
    if seen.name == COST:
        counted[semconv.COST_USD] = seen.value
    elif seen.value == seen.value // 1:
        keys = _TYPES.get(text(said, "type") or "", ())
        counted.update(dict.fromkeys(keys, int(seen.value)))
    if counted:
        yield generic.total(seen, SOURCE, session, text(said, "model"), counted)


def _call(seen: SeenEvent, session: str, *, is_failed: bool) -> Iterator[bytes]:
    said = seen.attributes
    # What is before the first prompt, or outside of any, belongs to the session.
    turn = text(said, "prompt.id") or ""
    start_ns = begin_ns(seen.at_ns, said)
    agent, agent_id = _agent(said), text(said, "agent_id", "agent.id")
    if agent_id is not None:
        yield told.line(
            Agent(
                source=SOURCE,
                session=session,
                turn=turn,
                key=agent_id,
                start_ns=start_ns,
                name=agent or "subagent",
                parent_key=text(said, "parent_agent_id"),
            )
        )
    status = whole(said, "status_code")
    model = text(said, "model")
    request = text(said, "request_id")
    yield told.line(
        Call(
            source=SOURCE,
            session=session,
            turn=turn,
            key=request or _key(seen, session),
            start_ns=start_ns,
            end_ns=seen.at_ns,
            model=None if is_failed else model,
            request_model=model,
            provider="anthropic",
            request_id=request,
            role=role(text(said, "query_source"), agent),
            agent=agent,
            agent_key=agent_id,
            depth=1 if agent is None and agent_id is None else 2,
            attempt=whole(said, "attempt"),
            usage=TokenUsage() if is_failed else _usage(said),
            cost_usd=number(said, "cost_usd"),
            error_type=_error_type(status) if is_failed else None,
            http_status=status,
            capture="otlp",
        )
    )


def _agent(said: Attributes) -> str | None:
    """Return the name of the sub-agent that made a call; None for the session itself."""
    name = text(said, "agent.name")
    if name is not None:
        return name
    source = text(said, "query_source") or ""
    if source in _ROLES or source.startswith("repl_main_thread"):
        return None
    return source.removeprefix("agent:")


def _key(seen: SeenEvent, session: str) -> str:
    number_in_session = text(seen.attributes, "event.sequence") or str(seen.at_ns)
    return f"{session}/{number_in_session}"


def _usage(said: Attributes) -> TokenUsage:
    return beside(
        whole(said, "input_tokens"),
        whole(said, "output_tokens"),
        cache_read=whole(said, "cache_read_tokens"),
        cache_write=whole(said, "cache_creation_tokens"),
    )


def _error_type(status: int | None) -> str:
    """The text of an error is never kept."""
    return "api_error" if status is None else str(status)
