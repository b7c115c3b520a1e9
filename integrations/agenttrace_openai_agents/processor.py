"""What the SDK's tracing calls: each trace and each span begins or ends a run."""

import sys
from typing import Any, Final

from agents.tracing import Span, Trace, TracingProcessor

import agenttrace
from agenttrace import Invocation, semconv
from agenttrace.integration import guarded, nearest
from agenttrace_openai_agents.instrumentor import conversation
from agenttrace_openai_agents.reading import answer_of, error_of, model_of
from agenttrace_openai_agents.runs import RUNS, Run

_guarded: Final = guarded("an OpenAI Agents span")

_MODELS: Final = frozenset({"generation", "response", "transcription", "speech"})
_VOICE: Final = frozenset({"transcription", "speech"})


class AgentTraceProcessor(TracingProcessor):
    """Records every trace and span that it is told of; give it to ``add_trace_processor``.

    A trace becomes a task, or a step where a task is under way. Agents and tools become what they
    are, a guardrail a step whose calls have the role ``guard``, and spans of models the frames of
    the calls that the meter sees inside them. Turns, handoffs and spans of the user's own record
    nothing: what is inside belongs to what is around. Nothing that was said is read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_on = True  # what begins now is recorded; what has begun is always ended
        # The meter has to be in place before the first request.
        agenttrace.configure()

    @_guarded
    def on_trace_start(self, trace: Trace) -> None:
        """Begin a task, or a part of the one that is under way."""
        if not self._begins(trace.trace_id):
            return
        around = agenttrace.current()
        inside = around is not None and around.task_id is not None
        invocation = agenttrace.start(
            "step" if inside else "task",
            trace.name,
            parent=around,
            session_id=getattr(trace, "group_id", None) or _session(around),
        )
        RUNS.add(trace.trace_id, Run.attached(invocation))

    @_guarded
    def on_trace_end(self, trace: Trace) -> None:
        """End it; the SDK does not say how it went, but an exception may be on its way."""
        _end(RUNS.pop(trace.trace_id), None)

    @_guarded
    def on_span_start(self, span: Span[Any]) -> None:
        """Begin an agent, a tool, a guardrail or a call of a model."""
        if not self._begins(span.span_id):
            return
        around = RUNS.use(span.parent_id) or RUNS.use(span.trace_id)
        begun = _begin(span.span_data, nearest(around.invocation if around else None))
        if begun is not None:
            RUNS.add(span.span_id, Run.attached(begun))
        elif around is not None:
            RUNS.add(span.span_id, Run(around.invocation))

    @_guarded
    def on_span_end(self, span: Span[Any]) -> None:
        """End it, with the type of the error and, for a model, with its usage."""
        _end(RUNS.pop(span.span_id), span)

    def shutdown(self) -> None:
        """Do nothing: agenttrace ends by itself, and has written what was recorded."""

    def force_flush(self) -> None:
        """Do nothing, for the same reason."""

    def _begins(self, key: str) -> bool:
        """Whether it is to be recorded; another processor may have been told of it first."""
        return self.is_on and key not in RUNS


def _begin(said: Any, around: Invocation | None) -> Invocation | None:
    """Start an invocation for a span; None for one that is not recorded."""
    # An agent that a guardrail asks is no sub-agent, and its calls are no answers.
    guard = "guard" if around is not None and around.role == "guard" else None
    match said.type:
        case "agent":
            session = _session(around)
            return agenttrace.start(
                "agent", said.name, parent=around, role=guard, session_id=session
            )
        case "function":
            return agenttrace.start("tool", said.name, parent=around, role=guard)
        case "guardrail":
            return agenttrace.start("step", said.name, parent=around, role="guard")
        case kind if kind in _MODELS:
            attributes = {semconv.CAPTURE: "frame", **model_of(said)}
            name = str(attributes.get(semconv.REQUEST_MODEL, kind))
            role = guard or ("other" if kind in _VOICE else None)
            return agenttrace.start(
                "inference", name, parent=around, role=role, attributes=attributes
            )
        case _:
            return None


def _end(run: Run | None, span: Span[Any] | None) -> None:
    if run is None:
        return
    run.detach()
    if not run.recorded:
        return
    invocation = run.invocation
    raised = sys.exception()
    error = error_of(span, None if raised is run.handled else raised)
    if span is not None and invocation.kind == "inference":
        answer = answer_of(span.span_data)
        invocation.name = answer.model or invocation.name
        invocation.set(answer.attributes)
        invocation.usage(answer.usage)
    if isinstance(error, GeneratorExit):
        invocation.set({semconv.OUTCOME: "abandoned"})
    invocation.end(error)


def _session(around: Invocation | None) -> str | None:
    """Return the conversation of the run, where nothing around says another."""
    if around is not None and around.session_id is not None:
        return None
    return conversation.get()
