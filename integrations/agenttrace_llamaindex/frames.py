"""What a span is recorded as: how it begins, where it is current, how it ends."""

from typing import Any, Literal

import agenttrace
from agenttrace import Invocation, semconv
from agenttrace.integration import nearest
from agenttrace_llamaindex.reading import Said, model_of, usage_of
from agenttrace_llamaindex.runs import Run, Runs


def begin(runs: Runs, span_id: str, parent_id: str | None, said: Said) -> None:
    """Begin a span; one that is not recorded stands where the span around it stands."""
    around = runs.use(parent_id)
    if said.sort in ("agent", "team", "workflow"):
        run = _workflow(said, around)
    elif around is not None and around.is_workflow:
        run = _step(said, around)
    elif said.sort == "part":
        run = _current(_start("step", said.name, around))
    elif said.sort == "rerank":
        role = "rerank" if said.is_reranker else None
        run = _current(_start("step", said.name, around, role=role))
    elif said.sort == "model":
        run = _current(_call(said, around))
    else:
        run = Run(around.invocation if around else None)
    runs.add(span_id, run)


def end(
    runs: Runs, span_id: str, result: Any = None, error: BaseException | str | None = None
) -> None:
    """End a span."""
    run = runs.pop(span_id)
    if run is None:
        return
    run.detach()
    if run.agent is not None:
        run.agent.end(error)
    if not run.recorded or run.invocation is None:
        return
    call = run.invocation
    if call.kind == "inference" and not call.wire_calls:
        call.usage(usage_of(result))
    call.end(error)


def _workflow(said: Said, around: Run | None) -> Run:
    """Begin the run of a workflow.

    It is not made current, for it may be told of in the context of the caller, who goes on while
    the workflow runs. Its steps are, each in a context of its own.
    """
    is_agent = said.sort == "agent"
    kind = "agent" if is_agent else "step"
    if not is_agent and _outside_of_tasks(around):
        kind = "task"
    invocation = _start(kind, said.name, around)
    return Run(
        invocation,
        recorded=True,
        is_workflow=True,
        is_agent=is_agent,
        is_team=said.sort == "team",
    )


def _step(said: Said, around: Run) -> Run:
    """Begin a step of a workflow.

    The steps of LlamaIndex's own agents are the parts of a loop, so they are not recorded: those
    that call a tool are the tool, and the others are the agent at work.
    """
    if said.tool is not None:
        worker = around.agent or around.invocation
        return _current(_started("tool", said.tool, worker))
    if around.is_agent:
        run = Run(around.invocation)
    elif around.is_team:
        run = Run(_turn(said, around))
    else:
        return _current(_started("step", said.method, around.invocation))
    run.attach()
    return run


def _turn(said: Said, around: Run) -> Invocation | None:
    """Return the agent that has the turn in a workflow of several; it may be another's now."""
    before = around.agent
    if said.agent is not None and (before is None or before.name != said.agent):
        if before is not None:
            before.stop()
        around.agent = _started("agent", said.agent, around.invocation)
    return around.agent or around.invocation


def _call(said: Said, around: Run | None) -> Invocation:
    attributes = model_of(said.instance)
    return _start(
        "inference", str(attributes[semconv.REQUEST_MODEL]), around, attributes=attributes
    )


def _current(invocation: Invocation) -> Run:
    run = Run(invocation, recorded=True)
    run.attach()
    return run


def _start(
    kind: Literal["task", "agent", "step", "inference"],
    name: str,
    around: Run | None,
    **more: Any,
) -> Invocation:
    return _started(kind, name, _nearest(around), **more)


def _started(kind: Any, name: str, parent: Invocation | None, **more: Any) -> Invocation:
    return agenttrace.start(kind, name, parent=parent, **more)


def _nearest(around: Run | None) -> Invocation | None:
    return nearest(None if around is None else around.invocation)


def _outside_of_tasks(around: Run | None) -> bool:
    parent = _nearest(around)
    return parent is None or parent.task_id is None
