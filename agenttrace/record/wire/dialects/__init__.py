"""The dialects, one module for each family of protocols, and which request speaks which.

A module here has the dialects of one provider and a table of their paths, ``ROUTES``; listing it in
``_MODULES`` is what makes it known.
"""

import functools
import re
from typing import Final

from agenttrace.record.wire.dialect import Dialect, Route
from agenttrace.record.wire.dialects import anthropic, openai

_MODULES: Final = (openai, anthropic)
_ROUTES: Final[tuple[Route, ...]] = tuple(route for module in _MODULES for route in module.ROUTES)
# One expression for all, so that a request to anything else costs one search.
_PATHS: Final = {
    method: re.compile(
        "(?:"
        + "|".join(
            f"(?P<r{number}>{route.path})"
            for number, route in enumerate(_ROUTES)
            if route.method == method
        )
        + ")$"
    )
    for method in ("POST", "GET")
}


@functools.lru_cache(maxsize=4096)
def of(method: str, path: str) -> Dialect | None:
    """Return the dialect that a request to *path* (without the query) speaks, if we know it."""
    paths = _PATHS.get(method)
    found = paths.search(path.rstrip("/")) if paths is not None else None
    if found is None or found.lastgroup is None:
        return None
    return _ROUTES[int(found.lastgroup[1:])].dialect
