"""What CrewAI's events become: the first of a pair begins a frame, the second ends it."""

import sys
from dataclasses import dataclass
from typing import Any, Final

import agenttrace
from agenttrace import semconv
from agenttrace.integration import guarded
from agenttrace_crewai.open_frames import Frame, OpenFrames
from agenttrace_crewai.reading import Beginning, beginning_of, usage_of

OPEN: Final = OpenFrames()

# The event that ends a frame -> the event that began it.
_ENDS: Final = {
    f"{name}_{end}": f"{name}_started"
    for name in (
        "agent_execution",
        "agent_reasoning",
        "conversation_turn",
        "crew_kickoff",
        "flow",
        "knowledge_query",
        "lite_agent_execution",
        "llm_call",
        "llm_guardrail",
        "memory_query",
        "memory_retrieval",
        "memory_save",
        "method_execution",
        "step_observation",
        "task",
        "tool_usage",
    )
    for end in ("completed", "finished", "paused", "failed", "error")
}
_DENIED: Final = "HookAborted"  # a hook of the program refused the call, so none was made


@dataclass(frozen=True, slots=True)
class _Ending:
    error: BaseException | str | None

    @classmethod
    def of(cls, event: Any) -> "_Ending":
        if not str(event.type).endswith(("_failed", "_error")):
            return cls(None)
        error = getattr(event, "error", None)
        # Most events have the text alone, but are emitted where the exception is handled.
        return cls(error if isinstance(error, BaseException) else sys.exception() or event.type)


@guarded("a CrewAI event")
def told(source: Any, event: Any) -> None:
    """Begin or end a frame, if *event* tells of one."""
    kind: str = event.type
    if kind in _ENDS:
        _end(_ENDS[kind], source, event)
        return
    beginning = beginning_of(source, event)
    if beginning is not None:
        _begin(kind, source, beginning)


@guarded("a CrewAI flow that failed")
def failed(flow: Any, error: BaseException) -> None:
    """End the frame of *flow*, if it is still open."""
    # CrewAI has restored the context that was current before the flow.
    frame = OPEN.last("flow_started", id(flow))
    if frame is not None:
        _close(frame, _Ending(error))


def _begin(kind: str, source: Any, beginning: Beginning) -> None:
    key = (kind, id(source), beginning.name)
    around = OPEN.around(agenttrace.current())
    before = OPEN.again(key, around)
    if before is not None:
        # CrewAI begins an agent or a call again after an error, without a word on the first.
        _close(before, _Ending(sys.exception() or "abandoned"))
        around = OPEN.around(agenttrace.current())
    role = beginning.role
    if role is None and around is not None and beginning.kind != "tool":
        role = around.role
    invocation = agenttrace.start(
        _kind(beginning),
        beginning.name,
        role=role,
        session_id=beginning.session_id,
        attributes=beginning.attributes,
    )
    OPEN.add(invocation, Frame(invocation, key, role))
    invocation.attach(loose=True)


def _kind(beginning: Beginning) -> Any:
    """A crew or a flow is the task, or a step of the task around it."""
    if beginning.kind != "task":
        return beginning.kind
    around = agenttrace.current()
    return "task" if around is None or around.task_id is None else "step"


def _end(kind: str, source: Any, event: Any) -> None:
    frame = OPEN.begun_by(kind, id(source), agenttrace.current())
    if frame is None:
        return
    ending = _Ending.of(event)
    if frame.invocation.kind == "inference":
        _end_call(frame, event, ending)
    else:
        _close(frame, ending)


def _end_call(frame: Frame, event: Any, ending: _Ending) -> None:
    call = frame.invocation
    if not call.wire_calls:
        if type(ending.error).__name__ == _DENIED:
            _leave(frame, ending)
            call.discard()
            return
        call.usage(usage_of(event))
    call.set({semconv.OUTCOME: "complete" if ending.error is None else "incomplete"})
    response_id = getattr(event, "response_id", None)
    if isinstance(response_id, str):
        call.set({semconv.RESPONSE_ID: response_id})
    _close(frame, ending)


def _close(frame: Frame, ending: _Ending) -> None:
    """End *frame*, and in the same way what was begun inside it and never ended."""
    _leave(frame, ending)
    frame.invocation.end(ending.error)


def _leave(frame: Frame, ending: _Ending) -> None:
    """End what is open inside *frame*, and make current what was so before it."""
    for inner in OPEN.inside(frame, agenttrace.current()):
        OPEN.pop(inner.invocation)
        inner.invocation.detach()
        inner.invocation.end(ending.error)
    OPEN.pop(frame.invocation)
    frame.invocation.detach()
