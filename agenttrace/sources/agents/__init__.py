"""Logs of coding agents: one module each, with its ``SOURCE``.

The formats are nobody's standard and change by the month. A module reads what it knows, goes on
past what it does not, and counts what it skipped.
"""

from importlib import import_module
from typing import Final

from agenttrace.sources.source import Source

# The name of a source -> the module that reads it.
_MODULES: Final[dict[str, str]] = {}

NAMES: Final = tuple(_MODULES)
"""In the order in which they are looked for."""


def source(name: str) -> Source:
    """Return the source of that name, one of :data:`NAMES`."""
    found: Source = import_module(f"{__name__}.{_MODULES[name]}").SOURCE
    return found
