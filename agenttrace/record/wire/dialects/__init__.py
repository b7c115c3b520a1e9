"""The dialects, one module for each family of protocols, and which request speaks which.

A module here has the dialects of one provider and a table of their paths, ``ROUTES``; listing it in
``_MODULES`` is what makes it known.
"""

import functools
import re
from collections.abc import Sequence
from typing import Final

from agenttrace.record.wire.dialect import Dialect, Route
from agenttrace.record.wire.dialects import (
    anthropic,
    bedrock,
    cohere,
    gemini,
    gemini_interactions,
    huggingface,
    llama_cpp,
    mistral,
    ollama,
    openai,
    openai_batch,
    openai_media,
    openrouter,
)

_MODULES: Final = (
    openai,
    openai_media,
    openai_batch,
    openrouter,
    mistral,
    anthropic,
    gemini,
    gemini_interactions,
    bedrock,
    cohere,
    ollama,
    llama_cpp,
    huggingface,
)
_ROUTES: Final[tuple[Route, ...]] = tuple(route for module in _MODULES for route in module.ROUTES)


def _compiled(routes: Sequence[Route]) -> dict[str, re.Pattern[str]]:
    """Make one expression of all, so that a request to anything else costs one search."""
    return {
        method: re.compile(
            # The names come last: with them in front the engine would try each route at each slash.
            "(?:"
            + "|".join(
                f"{route.path}(?P<r{number}>)"
                for number, route in enumerate(routes)
                if route.method == method
            )
            + ")$"
        )
        for method in ("POST", "GET")
    }


_PATHS: Final = _compiled(_ROUTES)


_LONGEST_PATH: Final = 4096  # characters; an ARN in a path has a few hundred


@functools.lru_cache(maxsize=4096)
def of(method: str, path: str) -> Dialect | None:
    """Return the dialect that a request to *path* (without the query) speaks, if we know it."""
    paths = _PATHS.get(method)
    if paths is None or len(path) > _LONGEST_PATH:
        return None
    found = paths.search(path.rstrip("/"))
    if found is None or found.lastgroup is None:
        return None
    return _ROUTES[int(found.lastgroup[1:])].dialect
