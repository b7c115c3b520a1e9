"""Coding agents that people already run: their names, and what their logs cannot tell.

Facts about each are with what reads it (``agenttrace.sources.agents``); here is what reports, the
importer, the launcher and the doctor all speak of.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CodingAgent:
    """A program that people run to have work done by a model.

    Attributes:
        name: As the command line and ``service.name`` have it, such as ``claude-code``.
        title: As its makers write it.
        commands: Names of its executable.
        lacks: What its logs say nothing of, in a few words; None if nothing is known to be missing.
        way: How to get it.
    """

    name: str
    title: str
    commands: tuple[str, ...] = ()
    lacks: str | None = None
    way: str | None = None


_RECEIVE: Final = "run it with `agenttrace run -- {}`, or send its telemetry to `agenttrace serve`"
_SESSIONS: Final = (
    "its log has one total for each session and no single calls: their number is unknown, and the "
    "tokens of a session count as one call of role `other` at its beginning"
)
_COMPACTION: Final = "calls that compact a conversation have no usage in its log"
_METER: Final = "set its base URL to `agenttrace meter`"

CODING_AGENTS: Final = {
    one.name: one
    for one in (
        CodingAgent(
            "claude-code",
            "Claude Code",
            ("claude",),
            "calls in the background (titles, recaps, compaction, quota) have no usage in its log",
            _RECEIVE.format("claude"),
        ),
        CodingAgent(
            "codex",
            "Codex",
            ("codex",),
            "compaction has no usage in logs of versions before 0.151",
            _RECEIVE.format("codex"),
        ),
        CodingAgent(
            "gemini",
            "Gemini CLI",
            ("gemini",),
            "10 of the 12 roles of its calls (routing, summaries, tools, compression, loop "
            "detection, ...) never reach its log",
            _RECEIVE.format("gemini"),
        ),
        CodingAgent(
            "copilot",
            "GitHub Copilot",
            ("copilot",),
            "it writes nothing to read unless its telemetry is on",
            "set COPILOT_OTEL_ENABLED=true, or " + _RECEIVE.format("copilot"),
        ),
        CodingAgent(
            "opencode",
            "OpenCode",
            ("opencode",),
            "calls that name a session have no usage in its log",
            _METER,
        ),
        CodingAgent("goose", "Goose", ("goose",), _SESSIONS, _METER),
        CodingAgent("amp", "Amp", ("amp",)),
        CodingAgent("qwen", "Qwen Code", ("qwen",)),
        CodingAgent("kimi", "Kimi CLI", ("kimi",), "older versions log no model", _METER),
        CodingAgent("droid", "Droid", ("droid",), _SESSIONS, _METER),
        CodingAgent("pi", "pi", ("pi",), _COMPACTION, _METER),
        CodingAgent("openclaw", "OpenClaw", ("openclaw",), _COMPACTION, _METER),
        CodingAgent("hermes", "Hermes", ("hermes",), _SESSIONS, _METER),
    )
}
"""By name, in the order in which they are looked for."""

NOT_READABLE: Final = {
    "cursor": "Cursor's database (state.vscdb) holds zeros for token counts since its third "
    "version, so nothing in it was measured",
    "antigravity": "Antigravity keeps no token counts that can be relied on",
    "grok": "Grok CLI keeps no token counts that can be relied on",
    "devin": "Devin keeps no token counts on this machine that can be relied on",
}
"""Coding agents whose logs are not imported -> why, in words that stand alone. Nothing is ever
estimated from their texts."""
