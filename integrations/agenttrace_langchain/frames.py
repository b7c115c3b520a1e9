"""What a run is recorded as: how it begins, where it is current, how it ends."""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import agenttrace
from agenttrace import Invocation, semconv
from agenttrace.integration import nearest
from agenttrace_langchain.origin import origin
from agenttrace_langchain.reading import answer_of, model_of, name_of, role_of, session_of
from agenttrace_langchain.runs import RUNS, ModelRun, Run

_UNNAMED_GRAPH: Final = "LangGraph"

# The first run of a batch of model runs that is beginning, and how many are still to begin.
_beginning: ContextVar[tuple[ModelRun, int] | None] = ContextVar("beginning", default=None)


@dataclass(frozen=True, slots=True)
class Said:
    """What LangChain says of a run that begins.

    Attributes:
        name: What LangChain calls it.
        metadata: What the user and LangGraph say of it; runs inside inherit it.
        details: The arguments of the callback.
        around: The run that it begins in, if that is known.
    """

    name: str
    metadata: Mapping[str, Any]
    details: Mapping[str, Any]
    around: Run | None

    @classmethod
    def of(cls, serialized: Mapping[str, Any] | None, details: Mapping[str, Any]) -> "Said":
        """Read the arguments of a callback."""
        return cls(
            name=name_of(details, serialized or {}),
            metadata=details.get("metadata") or {},
            details=details,
            around=RUNS.use(details.get("parent_run_id")),
        )

    @property
    def namespace(self) -> str | None:
        """The place in a graph, if it has one: ``node:id|node:id``."""
        return self.metadata.get("langgraph_checkpoint_ns")

    @property
    def agent(self) -> str | None:
        """The name that ``create_agent`` was given, for the agent and for all inside."""
        return self.metadata.get("lc_agent_name")

    @property
    def is_node(self) -> bool:
        """LangGraph runs it in a place of its own: a node, or a task of the functional API."""
        return self.around is not None and self.namespace not in (None, self.around.namespace)

    def begin(self, kind: Literal["agent", "step", "tool"], name: str | None = None) -> Run:
        """Start an invocation for it."""
        invocation = agenttrace.start(
            kind,
            name or self.name,
            parent=_nearest(self.around),
            session_id=session_of(self.metadata),
        )
        return Run(invocation, recorded=True, namespace=self.namespace, agent=self.agent)


def of_chain(said: Said) -> Run:
    """Begin a graph (an agent), a node or an outermost chain (a step), or plumbing (nothing)."""
    begun_by = origin()
    if begun_by.is_graph:
        return _of_graph(said)
    if said.is_node:
        run = said.begin("step")
        run.attach()
        return run
    if said.around is None:
        run = said.begin("step")
        if begun_by.is_invoke:
            run.attach()
        else:
            run.adrift = True
        return run
    return _plumbing(said, said.around)


def of_tool(said: Said) -> Run:
    """Begin a tool; model calls inside are the tool's."""
    run = said.begin("tool")
    run.attach()
    return run


def of_model(said: Said, operation: str) -> ModelRun:
    """Begin the frame of a model call."""
    asked = model_of(said.metadata, said.details.get("invocation_params") or {})
    invocation = agenttrace.start(
        "inference",
        str(asked.get(semconv.REQUEST_MODEL) or said.name),
        parent=_nearest(said.around),
        session_id=session_of(said.metadata),
        role=role_of(said.metadata),
        attributes={semconv.OPERATION_NAME: operation, semconv.CAPTURE: "frame", **asked},
    )
    run = ModelRun(invocation, recorded=True, started=time.perf_counter())
    _attach_when_all_began(run, said.details.get("batch_size"))
    return run


def chunk(run_id: UUID) -> None:
    """Note the first piece of a stream."""
    run = RUNS.get(run_id)
    if not isinstance(run, ModelRun) or run.first_chunk_s is not None:
        return
    run.first_chunk_s = time.perf_counter() - run.started
    # The request is out; from here on the context is shared with the consumer of the stream.
    run.detach()


def end(run_id: UUID, error: BaseException | None = None) -> None:
    """End a run of anything but a model."""
    run = RUNS.pop(run_id)
    if run is None:
        return
    run.detach()
    if not run.recorded:
        return
    if error is None or _gives_way(error):
        run.invocation.stop()
    else:
        run.invocation.fail(error)


def end_model(run_id: UUID, response: Any, error: BaseException | None = None) -> None:
    """End the frame of a model call, with what *response* (an ``LLMResult`` or None) says."""
    run = RUNS.pop(run_id)
    if not isinstance(run, ModelRun):
        return
    run.detach()
    invocation = run.invocation
    answer = answer_of(response)
    if not invocation.wire_calls and answer.cached:
        # No call, and so is what other instrumentations make of it.
        invocation.set({semconv.OUTCOME: "cached"})
        invocation.stop()
        return
    if not invocation.wire_calls and run.is_metered_elsewhere:
        invocation.discard()
        return
    invocation.set(answer.attributes)
    invocation.usage(answer.usage)
    if run.first_chunk_s is not None:
        invocation.set(
            {semconv.REQUEST_STREAM: True, semconv.TIME_TO_FIRST_CHUNK: run.first_chunk_s}
        )
    if error is None:
        invocation.set({semconv.OUTCOME: "complete"})
        invocation.stop()
    elif isinstance(error, GeneratorExit):
        invocation.set({semconv.OUTCOME: "abandoned"})
        invocation.stop()
    else:
        invocation.set({semconv.OUTCOME: "incomplete"})
        invocation.fail(error)


def _of_graph(said: Said) -> Run:
    """Begin a graph.

    A graph is a stream, also inside its ``invoke``, so it is not made current where it begins. Its
    nodes are, each in a place of its own.
    """
    name = said.name
    if said.agent and (said.around is None or said.agent != said.around.agent):
        name = said.agent
    elif name == _UNNAMED_GRAPH:
        name = str(said.metadata.get("langgraph_node", name))
    run = said.begin("agent", name)
    run.adrift = True
    return run


def _plumbing(said: Said, around: Run) -> Run:
    """Begin what is not recorded: it stands where the run around it stands."""
    invocation = _nearest(around) or around.invocation
    run = Run(invocation, adrift=around.adrift, namespace=said.namespace, agent=said.agent)
    if run.adrift and invocation is around.invocation and agenttrace.current() is not invocation:
        run.attach()
    return run


def _nearest(around: Run | None) -> Invocation | None:
    return nearest(None if around is None else around.invocation)


def _attach_when_all_began(run: ModelRun, together: object) -> None:
    """Make *run* current, or the first run of its batch: the meter sees all requests in that one.

    Runs of a batch begin one after the other, before the first of them works.
    """
    first, left = _beginning.get() or (run, together if isinstance(together, int) else 1)
    if first is not run:
        run.first = first
    if left > 1:
        _beginning.set((first, left - 1))
    else:
        _beginning.set(None)
        first.attach()


def _gives_way(error: BaseException) -> bool:
    """Whether *error* is how a run hands over: to a person, to another graph, to who left it."""
    # By name, for LangChain is used without LangGraph too.
    control = any(kind.__name__ == "GraphBubbleUp" for kind in type(error).__mro__)
    return control or isinstance(error, GeneratorExit)
