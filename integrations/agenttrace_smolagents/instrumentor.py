"""Frame what smolagents runs: it tells nobody by itself."""

import contextlib
import functools
from collections.abc import Callable, Generator
from typing import Any, ClassVar

import agenttrace
from agenttrace.integration import Instrumentor, replaced


class SmolagentsInstrumentor(Instrumentor):
    """Wraps the run of an agent, its planning and the call of a tool."""

    distribution: ClassVar = "smolagents"
    module: ClassVar = "smolagents.agents"
    hook: ClassVar = "wrapped methods"
    tested: ClassVar = ("1.23", "1.26")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Frame every run that begins."""
        from smolagents.agents import MultiStepAgent
        from smolagents.tools import Tool

        with (
            replaced(MultiStepAgent, "run", _run),
            replaced(MultiStepAgent, "_generate_planning_step", _planning),
            replaced(Tool, "__call__", _tool),
        ):
            yield


def _run(original: Callable[..., Any], is_wanted: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(original)
    def run(agent: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_wanted():
            return original(agent, *args, **kwargs)
        frame = agenttrace.agent(_name(agent))
        if kwargs.get("stream", args[1] if len(args) > 1 else False):
            # The run is prepared at once, and goes on whenever the next step is asked for.
            return frame(_each)(original(agent, *args, **kwargs))
        with frame:
            return original(agent, *args, **kwargs)

    return run


def _planning(original: Callable[..., Any], is_wanted: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(original)
    def plan(agent: Any, *args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        planning = original(agent, *args, **kwargs)
        return (yield from _step("planning", planning) if is_wanted() else planning)

    return plan


def _tool(original: Callable[..., Any], is_wanted: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(tool: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_wanted():
            return original(tool, *args, **kwargs)
        with agenttrace.tool(_name(tool)):
            return original(tool, *args, **kwargs)

    return call


def _each(steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    return (yield from steps)


def _step(name: str, parts: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Frame a step; between its parts the frame of the agent lets go of the context."""
    step = agenttrace.start("step", name)
    step.attach()
    caught: BaseException | None = None
    try:
        return (yield from parts)
    except BaseException as error:
        caught = error
        raise
    finally:
        step.detach()
        step.end(caught)


def _name(named: Any) -> str:
    """Return the name that the program gave, else that of the class."""
    return str(getattr(named, "name", None) or type(named).__name__)
