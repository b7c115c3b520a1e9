"""Record every model call an agent makes; count each once; say what it used.

    import agenttrace

    agenttrace.configure()

    @agenttrace.task
    def answer(question): ...

Importing this loads neither the OpenTelemetry SDK nor DuckDB; each name loads what it needs.
"""

import importlib
from typing import TYPE_CHECKING, Final

__version__ = "0.1.0"

if TYPE_CHECKING:
    from agenttrace.compare.calculator import Estimate, estimate
    from agenttrace.enrichment.processor import EnergySpanProcessor
    from agenttrace.errors import AgentTraceError
    from agenttrace.integration import instrument
    from agenttrace.model import TokenUsage
    from agenttrace.reader import Reader, read
    from agenttrace.record.invocation import Invocation
    from agenttrace.record.setup import configure, current, environ, flush, shutdown, start
    from agenttrace.record.task import agent, role, task, tool

__all__ = [
    "AgentTraceError",
    "EnergySpanProcessor",
    "Estimate",
    "Invocation",
    "Reader",
    "TokenUsage",
    "agent",
    "configure",
    "current",
    "environ",
    "estimate",
    "flush",
    "instrument",
    "read",
    "role",
    "shutdown",
    "start",
    "task",
    "tool",
]

_MODULE_OF: Final = {
    "AgentTraceError": "agenttrace.errors",
    "EnergySpanProcessor": "agenttrace.enrichment.processor",
    "Estimate": "agenttrace.compare.calculator",
    "Invocation": "agenttrace.record.invocation",
    "Reader": "agenttrace.reader",
    "TokenUsage": "agenttrace.model",
    "agent": "agenttrace.record.task",
    "configure": "agenttrace.record.setup",
    "current": "agenttrace.record.setup",
    "environ": "agenttrace.record.setup",
    "estimate": "agenttrace.compare.calculator",
    "flush": "agenttrace.record.setup",
    "instrument": "agenttrace.integration",
    "read": "agenttrace.reader",
    "role": "agenttrace.record.task",
    "shutdown": "agenttrace.record.setup",
    "start": "agenttrace.record.setup",
    "task": "agenttrace.record.task",
    "tool": "agenttrace.record.task",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
