"""Add a callback to those that DSPy calls, whatever the program configures."""

import contextlib
import functools
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, ClassVar

import agenttrace
from agenttrace.integration import Instrumentor, replaced

if TYPE_CHECKING:
    from agenttrace_dspy.callback import AgentTraceCallback


class DSPyInstrumentor(Instrumentor):
    """Adds a callback of ours to DSPy's settings where they are read.

    ``dspy.configure(callbacks=[...])`` would not do: only the first thread that calls it may ever
    call it again, and the program's own call would replace ours.
    """

    distribution: ClassVar = "dspy"
    module: ClassVar = "dspy"
    hook: ClassVar = "callback, and attempts of models"
    tested: ClassVar = ("3.0", "3.4")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Record what begins; what is under way when the hook goes is recorded to its end."""
        from dspy.dsp.utils.settings import Settings

        from agenttrace_dspy.attempts import framed
        from agenttrace_dspy.callback import AgentTraceCallback

        # The meter has to be in place before the first request.
        agenttrace.configure()
        added = functools.partial(_with_callback, AgentTraceCallback())
        with replaced(Settings, "get", added), framed():
            yield


def _with_callback(
    callback: "AgentTraceCallback", get: Callable[..., Any], wanted: Callable[[], bool]
) -> Callable[..., Any]:
    @functools.wraps(get)
    def get_with_callback(self: Any, key: str, default: Any = None) -> Any:
        found = get(self, key, default)
        if key != "callbacks" or not wanted() or callback in found:
            return found
        return [*found, callback]

    return get_with_callback
