"""Run every check, and let none of them spoil the others."""

from typing import Final

from agenttrace.doctor import agents, data, environment, telemetry
from agenttrace.doctor.findings import Check, Finding, Machine
from agenttrace.errors import AgentTraceError

CHECKS: Final[dict[str, tuple[Check, ...]]] = {
    "Agents": (agents.programs,),
    "Logs": (agents.logs, agents.retention, agents.left_out),
    "Telemetry": (
        telemetry.claude_code,
        telemetry.codex,
        telemetry.gemini,
        telemetry.copilot,
        environment.receiver,
    ),
    "Data": (data.recording, data.ledger, data.store),
    "Versions": (environment.versions, environment.extras, environment.integrations),
}
"""By what they look at, in the order in which they are told."""


def examine(machine: Machine) -> list[Finding]:
    """Return what all checks find; what one of them stumbles over is a finding too."""
    found: list[Finding] = []
    for topic, checks in CHECKS.items():
        for check in checks:
            found += _found(topic, check, machine)
    return found


def _found(topic: str, check: Check, machine: Machine) -> list[Finding]:
    found: list[Finding] = []
    subject = check.__name__.replace("_", " ")
    try:
        # One by one: what was found before the trouble stays.
        for one in check(machine):
            found.append(one)  # noqa: PERF402 - see above
    except AgentTraceError as error:
        says, _, mend = str(error).partition(". ")
        found.append(Finding(topic, subject, says, "broken", mend or None))
    except Exception as error:  # noqa: BLE001 - files of others may hold anything
        # Not what the error says: that may quote a file.
        says = f"could not be looked at ({type(error).__name__})"
        found.append(Finding(topic, subject, says, "warning"))
    return found
