"""Tell what began a run, which LangChain does not tell its callbacks.

Two things depend on it. A compiled graph begins its run like any other chain, so only the method
that does so tells a graph from a chain inside a node. And only an ``invoke`` runs wholly in the
context in which it begins: a stream gives way to its consumer between two items, and a batch
begins all of its runs before any of them works.
"""

import inspect
from dataclasses import dataclass
from types import FrameType
from typing import Final

_CALLBACKS: Final = "langchain_core.callbacks.manager"
_GRAPH: Final = frozenset({"Pregel.stream", "Pregel.astream"})
_INVOKE: Final = frozenset({"invoke", "ainvoke", "_call_with_config", "_acall_with_config"})
_FRAMES: Final = 16  # enough for a subclass of the handler and a few wrappers


@dataclass(frozen=True, slots=True)
class Origin:
    """What began a run.

    Attributes:
        is_graph: A compiled LangGraph graph.
        is_invoke: The run begins and ends in this context, and nothing else works in it between.
    """

    is_graph: bool = False
    is_invoke: bool = False


def origin() -> Origin:
    """Find what began the run whose callback is calling this.

    The frames are ours, then those of LangChain's callback managers, then what we look for; an
    awaited coroutine has the frame of what awaits it behind its own.
    """
    begun_by = _beyond_the_callbacks(inspect.currentframe())
    if begun_by is None:
        return Origin()
    code = begun_by.f_code
    module = str(begun_by.f_globals.get("__name__", ""))
    return Origin(
        is_graph=code.co_qualname in _GRAPH and module.startswith("langgraph."),
        is_invoke=code.co_name in _INVOKE,
    )


def _beyond_the_callbacks(frame: FrameType | None) -> FrameType | None:
    met = False
    for _ in range(_FRAMES):
        if frame is None:
            return None
        inside = frame.f_globals.get("__name__") == _CALLBACKS
        if met and not inside:
            return frame
        met = met or inside
        frame = frame.f_back
    return None
