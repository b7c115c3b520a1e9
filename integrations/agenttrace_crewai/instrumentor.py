"""Listen where CrewAI emits its events, and mark the calls that plan and that sum up.

The listeners that CrewAI's event bus offers run in a thread of the bus, in a copy of the context:
what they make current is seen by nobody. So the place where events are emitted is wrapped, which is
in the thread and in the context of what the event tells of.
"""

import contextlib
import functools
import importlib
from collections.abc import Callable, Generator
from typing import Any, ClassVar

import agenttrace
from agenttrace.integration import Instrumentor, replaced
from agenttrace_crewai import frames


class CrewAIInstrumentor(Instrumentor):
    """Makes frames of the events that tell of a beginning and an end."""

    distribution: ClassVar = "crewai"
    module: ClassVar = "crewai.crew"
    hook: ClassVar = "event bus"
    tested: ClassVar = ("1.6", "1.15")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Record what begins; what is under way when the hook goes is not ended."""
        from crewai.crew import CrewPlanner
        from crewai.events.event_bus import CrewAIEventsBus
        from crewai.flow.flow import Flow

        # The meter has to be in place before the first request.
        agenttrace.configure()
        with contextlib.ExitStack() as hooks:
            hooks.enter_context(replaced(CrewAIEventsBus, "emit", _listening))
            hooks.enter_context(replaced(Flow, "kickoff_async", _failing))
            for owner, name, role in (
                (CrewPlanner, "_handle_crew_planning", "other"),
                (_summariser(), "summarize_messages", "summary"),
            ):
                hooks.enter_context(replaced(owner, name, functools.partial(_in_role, role)))
            yield


def _summariser() -> Any:
    """Return what holds ``summarize_messages``: the model's class, or a module before 1.15."""
    from crewai.llms.base_llm import BaseLLM

    if hasattr(BaseLLM, "summarize_messages"):
        return BaseLLM
    return importlib.import_module("crewai.utilities.agent_utils")


def _listening(emit: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(emit)
    def emit_and_tell(self: Any, source: Any, event: Any) -> Any:
        if wanted():
            frames.told(source, event)
        return emit(self, source, event)

    return emit_and_tell


def _failing(kickoff: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
    """Before 1.14 no event tells that a flow has failed, and none that it was cancelled."""

    @functools.wraps(kickoff)
    async def kickoff_to_its_end(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await kickoff(self, *args, **kwargs)
        except BaseException as error:
            if wanted():
                frames.failed(self, error)
            raise

    return kickoff_to_its_end


def _in_role(
    role: str, function: Callable[..., Any], wanted: Callable[[], bool]
) -> Callable[..., Any]:
    @functools.wraps(function)
    def in_its_role(*args: Any, **kwargs: Any) -> Any:
        if not wanted():
            return function(*args, **kwargs)
        with agenttrace.role(role):
            return function(*args, **kwargs)

    return in_its_role
