"""Logs of coding agents: one module each, with its ``SOURCE``.

The formats are nobody's standard and change by the month. A module reads what it knows, goes on
past what it does not, and counts what it skipped.
"""

from importlib import import_module
from typing import Final

from agenttrace.sources.source import Source

# The name of a source -> the module that reads it.
_MODULES: Final[dict[str, str]] = {
    "claude-code": "claude_code",
    "codex": "codex",
    "gemini": "gemini",
    "copilot": "copilot",
    "opencode": "opencode",
    "goose": "goose",
    "amp": "amp",
    "qwen": "qwen",
    "kimi": "kimi",
    "droid": "droid",
    "pi": "pi",
    "openclaw": "openclaw",
    "hermes": "hermes",
    "otlp": "agenttrace.sources.exports.otlp",
    "openinference": "agenttrace.sources.exports.openinference",
    "langfuse": "agenttrace.sources.exports.langfuse",
}

NAMES: Final = tuple(_MODULES)
"""In the order in which they are looked for."""


def source(name: str) -> Source:
    """Return the source of that name, one of :data:`NAMES`."""
    module = _MODULES[name]
    found: Source = import_module(module if "." in module else f"{__name__}.{module}").SOURCE
    return found
