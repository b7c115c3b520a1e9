"""Read what CrewAI's events tell: names and counts, never what was said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agenttrace import TokenUsage, semconv
from agenttrace.integration import provider_name, token_usage

Attributes = dict[str, str | bool | int | float]

# What CrewAI does beside the work of an agent: the event that begins it -> step, role of its calls.
_BESIDE: Final = {
    "agent_reasoning_started": ("planning", "other"),
    "knowledge_query_started": ("knowledge", "other"),
    "llm_guardrail_started": ("guardrail", "guard"),
    "memory_query_started": ("memory", "other"),
    "memory_retrieval_started": ("memory", "other"),
    "memory_save_started": ("memory", "other"),
    "step_observation_started": ("planning", "other"),
}


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an event that begins a frame says of it.

    Attributes:
        kind: ``task``, ``agent``, ``tool``, ``step`` or ``inference``.
        name: Its name.
        role: Role of the calls inside, if CrewAI makes them for a purpose of its own.
        session_id: The conversation.
        attributes: Provider and model of a call.
    """

    kind: str
    name: str
    role: str | None = None
    session_id: str | None = None
    attributes: Attributes = field(default_factory=dict)


def beginning_of(source: Any, event: Any) -> Beginning | None:
    """Read *event*; None if it begins nothing that is recorded."""
    if event.type in _BESIDE:
        name, role = _BESIDE[event.type]
        return Beginning("step", name, role)
    read = _READ.get(event.type)
    return None if read is None else read(source, event)


def usage_of(event: Any) -> TokenUsage:
    """Read what the end of a call says of tokens; older versions say nothing."""
    said = getattr(event, "usage", None)
    said = said if isinstance(said, Mapping) else {}
    return token_usage(
        said.get("prompt_tokens"),
        said.get("completion_tokens"),
        cache_read_tokens=said.get("cached_prompt_tokens"),
        reasoning_tokens=said.get("reasoning_tokens"),
    )


def _crew(source: Any, event: Any) -> Beginning:
    return Beginning("task", _text(getattr(source, "name", None), event.crew_name, "crew"))


def _flow(source: Any, event: Any) -> Beginning | None:
    if _is_internal(source):
        return None
    return Beginning("task", _text(event.flow_name, "flow"))


def _turn(_: Any, event: Any) -> Beginning:
    return Beginning("task", _text(event.flow_name, "flow"), session_id=str(event.session_id))


def _method(_: Any, event: Any) -> Beginning:
    return Beginning("step", _text(event.method_name, "method"))


def _task(source: Any, _: Any) -> Beginning:
    # The event has the description where there is no name, and that is a prompt.
    return Beginning("step", _text(getattr(source, "name", None), "task"))


def _agent(_: Any, event: Any) -> Beginning:
    return Beginning("agent", _text(event.agent.role, "agent"))


def _lite_agent(_: Any, event: Any) -> Beginning:
    return Beginning("agent", _text(event.agent_info.get("role"), "agent"))


def _tool(_: Any, event: Any) -> Beginning:
    return Beginning("tool", _text(event.tool_name, "tool"))


def _call(source: Any, event: Any) -> Beginning:
    model = _text(event.model, getattr(source, "model", None), "model")
    attributes: Attributes = {
        semconv.OPERATION_NAME: semconv.CHAT,
        semconv.CAPTURE: "frame",
        semconv.REQUEST_MODEL: model,
    }
    provider = getattr(source, "provider", None)
    if isinstance(provider, str) and provider:
        attributes[semconv.PROVIDER_NAME] = provider_name(provider)
    return Beginning("inference", model, attributes=attributes)


_READ: Final = {
    "agent_execution_started": _agent,
    "conversation_turn_started": _turn,
    "crew_kickoff_started": _crew,
    "flow_started": _flow,
    "lite_agent_execution_started": _lite_agent,
    "llm_call_started": _call,
    "method_execution_started": _method,
    "task_started": _task,
    "tool_usage_started": _tool,
}


def _is_internal(flow: Any) -> bool:
    """Whether CrewAI's own agents run as *flow*, which then is no work of its own."""
    return type(flow).__module__.startswith("crewai.")


def _text(*candidates: object) -> str:
    """Return the first that is a text, without the line break that a role from YAML ends in."""
    for candidate in candidates:
        if isinstance(candidate, str) and candidate.strip():
            return candidate.strip()
    return ""
