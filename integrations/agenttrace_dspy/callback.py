"""What DSPy calls: each pair of callbacks begins and ends a run."""

from typing import Any, Final, Literal

from dspy.utils.callback import BaseCallback

import agenttrace
from agenttrace import Invocation
from agenttrace.integration import UnderWay, guarded

_guarded: Final = guarded("a DSPy callback")

# Modules that let a model call tools in a loop.
_AGENTS: Final = frozenset({"Avatar", "CodeAct", "RLM", "ReAct", "ReActV2"})
_UNNAMED: Final = "StringSignature"  # written as a string: "question -> answer"


class AgentTraceCallback(BaseCallback):
    """Records modules, tools and optimizers; the meter sees the calls of models.

    DSPy calls both of a pair in the context of what they are about, so what the first makes
    current is current inside.
    """

    def __init__(self) -> None:
        self._runs: UnderWay[str, Invocation] = UnderWay(Invocation.abandon)

    def __len__(self) -> int:
        """Return how many runs are under way."""
        return len(self._runs)

    @_guarded
    def on_module_start(self, call_id: str, instance: Any, **_: Any) -> None:
        """Begin a module: an agent, or a step."""
        kind = "agent" if _is_agent(instance) else "step"
        self._begin(call_id, kind, _agent_name(instance) if kind == "agent" else _class(instance))

    @_guarded
    def on_module_end(self, call_id: str, exception: BaseException | None = None, **_: Any) -> None:
        """End a module."""
        self._end(call_id, exception)

    @_guarded
    def on_tool_start(self, call_id: str, instance: Any, **_: Any) -> None:
        """Begin a tool."""
        name = getattr(instance, "name", None)
        self._begin(call_id, "tool", name if isinstance(name, str) and name else _class(instance))

    @_guarded
    def on_tool_end(self, call_id: str, exception: BaseException | None = None, **_: Any) -> None:
        """End a tool."""
        self._end(call_id, exception)

    @_guarded
    def on_compile_start(self, call_id: str, instance: Any, **_: Any) -> None:
        """Begin an optimizer, which runs a program many times."""
        self._begin(call_id, "step", _class(instance))

    @_guarded
    def on_compile_end(
        self, call_id: str, exception: BaseException | None = None, **_: Any
    ) -> None:
        """End an optimizer."""
        self._end(call_id, exception)

    def _begin(self, call_id: str, kind: Literal["agent", "step", "tool"], name: str) -> None:
        invocation = agenttrace.start(kind, name)
        self._runs.add(call_id, invocation)
        invocation.attach()

    def _end(self, call_id: str, error: BaseException | None) -> None:
        invocation = self._runs.pop(call_id)
        if invocation is not None:
            invocation.detach()
            invocation.end(error)


def _is_agent(module: Any) -> bool:
    return any(kind.__name__ in _AGENTS for kind in type(module).__mro__)


def _agent_name(agent: Any) -> str:
    """Return the name of the signature that says what an agent is for, if it has one."""
    name = getattr(getattr(agent, "signature", None), "__name__", _UNNAMED)
    return _class(agent) if name == _UNNAMED else str(name)


def _class(instance: Any) -> str:
    return type(instance).__name__
