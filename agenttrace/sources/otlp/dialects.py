"""Who sends tells how it is to be read: one dialect for each program with names of its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from agenttrace.record import readable
from agenttrace.sources.otlp import claude_code, codex, copilot, gemini_cli, generic, vercel
from agenttrace.sources.otlp.seen import Origin, SeenEvent, SeenPoint, SeenSpan

Lines = Iterable[bytes]


def _span(span: SeenSpan) -> Lines:
    return (generic.of_span(span),)


def _event(event: SeenEvent) -> Lines:
    if event.name != generic.OPERATION_DETAILS:
        return ()
    line = generic.of_event(event)
    return () if line is None else (line,)


def _point(point: SeenPoint) -> Lines:  # noqa: ARG001 - it does not say of which session it is
    return ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read what one program sends.

    Attributes:
        keys: Attributes that are looked at; counts are as well.
        metrics: Names of metrics that are looked at.
        span: Returns what a span tells.
        event: Returns what a log record tells.
        point: Returns what a point of those metrics tells.
    """

    keys: frozenset[str]
    metrics: frozenset[str] = frozenset()
    span: Callable[[SeenSpan], Lines] = _span
    event: Callable[[SeenEvent], Lines] = _event
    point: Callable[[SeenPoint], Lines] = _point


GENERIC: Final = Dialect(readable.THEIRS | {"event.name"})
_CLAUDE_CODE: Final = Dialect(
    claude_code.KEYS,
    claude_code.METRICS,
    claude_code.span,
    claude_code.event,
    claude_code.point,
)
_CODEX: Final = Dialect(codex.KEYS, codex.METRICS, codex.span, codex.event, codex.point)
_GEMINI: Final = Dialect(
    gemini_cli.KEYS, gemini_cli.METRICS, gemini_cli.span, gemini_cli.event, gemini_cli.point
)
_COPILOT: Final = Dialect(copilot.KEYS, span=copilot.span, event=copilot.event)
_VERCEL: Final = Dialect(vercel.KEYS, span=vercel.span)

_SERVICES: Final = {
    "claude-code": _CLAUDE_CODE,
    "codex": _CODEX,
    "codex-app-server": _CODEX,
    "codex-cli": _CODEX,
    "codex-desktop": _CODEX,
    "codex-exec": _CODEX,
    "codex-cli-rs": _CODEX,
    "codex-mcp-server": _CODEX,
    "gemini-cli": _GEMINI,
    "copilot": _COPILOT,
    "copilot-chat": _COPILOT,
    "copilot-cli": _COPILOT,
    "github-copilot": _COPILOT,
}
# How the name of an instrumentation begins; some give their service another name.
_SCOPES: Final = (
    ("com.anthropic.claude_code", _CLAUDE_CODE),
    ("codex_", _CODEX),
    ("codex-", _CODEX),
    ("codex.", _CODEX),
    ("gemini-cli", _GEMINI),
    ("github.copilot", _COPILOT),
)


def of(origin: Origin) -> Dialect:
    """Return how to read what *origin* sends: its instrumentation tells, else its service."""
    if origin.scope == generic.OURS:
        return GENERIC
    if origin.scope == vercel.SCOPE:
        return _VERCEL
    for prefix, dialect in _SCOPES:
        if origin.scope.startswith(prefix):
            return dialect
    service = origin.service.lower().replace(" ", "-").replace("_", "-")
    return _SERVICES.get(service, GENERIC)
