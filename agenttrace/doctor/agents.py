"""Which coding agents are here, what they have logged, and for how long they keep it."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agenttrace.coding_agents import CODING_AGENTS, CodingAgent
from agenttrace.doctor import settings_files
from agenttrace.doctor.findings import Finding, Machine, count, size
from agenttrace.sources import agents, finding
from agenttrace.sources.finding import Found

_DAY_NS: Final = 24 * 3600 * 10**9
_CLEANUP_DAYS: Final = 30  # of Claude Code, if nobody says otherwise
_SOON_DAYS: Final = 7
_NAMED: Final = 5  # reasons of a source, or files, that are named one by one


def programs(machine: Machine) -> Iterator[Finding]:
    """Say which agents can be run here, and which have only left their logs."""
    missing: list[str] = []
    for agent in CODING_AGENTS.values():
        program = machine.executable(agent.commands)
        folders = _roots(machine, agent.name)
        if program is not None:
            yield Finding("Agents", agent.title, machine.shown(program))
        elif folders:
            says = f"not on the PATH, but has been here: {machine.shown(folders[0])}"
            yield Finding("Agents", agent.title, says)
        else:
            missing.append(agent.title)
    if missing:
        yield Finding("Agents", "Not here", ", ".join(missing))


def logs(machine: Machine) -> Iterator[Finding]:
    """Say what each agent has logged, and how much of it is imported."""
    for name, found in _all_found(machine):
        agent = CODING_AGENTS[name]
        if found.files:
            yield _of_logs(machine, agent, found)
        elif agent.lacks and machine.executable(agent.commands):
            says = f"no logs to read: {agent.lacks}"
            yield Finding("Logs", agent.title, says, "note", _sentence(agent.way))
        for path, why in list(found.unreadable.items())[:_NAMED]:
            says = f"{machine.shown(path)} cannot be read: {why}"
            mend = "Give yourself permission to read it, then `agenttrace import`."
            yield Finding("Logs", agent.title, says, "warning", mend)


def retention(machine: Machine) -> Iterator[Finding]:
    """Say when Claude Code will delete its logs, and whether that loses anything."""
    if "claude-code" not in agents.NAMES:
        return
    source = agents.source("claude-code")
    found = finding.look(machine.home, source, source.roots(machine.user))
    if not found.files and machine.executable(CODING_AGENTS["claude-code"].commands) is None:
        return
    days, said_by = _cleanup_days(machine)
    if days is None:
        says = f"cleanupPeriodDays in {said_by} is no number of days"
        yield Finding("Logs", "Claude Code", says, "warning", f"Correct it in {said_by}.")
        return
    says = f"deletes its logs after {count(days, 'day')}"
    keep = f'Import before that: `agenttrace import`, or set "cleanupPeriodDays" in {said_by}.'
    age = (machine.now_ns - found.oldest_ns) // _DAY_NS if found.oldest_ns else 0
    if found.new_files and age >= days - _SOON_DAYS:
        says += f"; the oldest is {count(age, 'day')} old, and not all is imported"
        yield Finding("Logs", "Claude Code", says, "warning", keep)
    elif found.new_files:
        yield Finding("Logs", "Claude Code", says, "note", keep)
    else:
        yield Finding("Logs", "Claude Code", f"{says}; what was imported stays")


def left_out(machine: Machine) -> Iterator[Finding]:
    """Say what imports did not understand, by its type."""
    by_source: dict[str, Counter[str]] = {}
    for source, reason, number in finding.skipped(machine.home):
        by_source.setdefault(source, Counter())[reason] += number
    for source, reasons in by_source.items():
        said = [f"{number:,} × {reason}" for reason, number in reasons.most_common(_NAMED)]  # noqa: RUF001
        if len(reasons) > _NAMED:
            said.append(f"and {count(len(reasons) - _NAMED, 'other reason')}")
        agent = CODING_AGENTS.get(source)
        yield Finding(
            "Logs",
            agent.title if agent else source,
            f"left out by imports so far: {'; '.join(said)}",
            "note",
            "A newer agenttrace may know them; what they hold is not counted until then.",
        )


def _of_logs(machine: Machine, agent: CodingAgent, found: Found) -> Finding:
    says = (
        f"{count(found.files, 'file')}, {size(found.bytes)}, "
        f"{_day(found.oldest_ns)} to {_day(found.latest_ns)}"
    )
    if not found.new_files:
        return Finding("Logs", agent.title, f"{says}; all imported")
    if found.imported_to_ns is None:
        says += "; none of it is imported"
    else:
        new = f"{size(found.new_bytes)} in {count(found.new_files, 'file')}"
        says += f"; imported to {_day(found.imported_to_ns)}, {new} new"
    return Finding("Logs", agent.title, says, "note", f"agenttrace import {agent.name}")


def _all_found(machine: Machine) -> Iterator[tuple[str, Found]]:
    for name in CODING_AGENTS:
        if name in agents.NAMES:
            source = agents.source(name)
            yield name, finding.look(machine.home, source, source.roots(machine.user))


def _roots(machine: Machine, name: str) -> list[Path]:
    if name not in agents.NAMES:
        return []
    source = agents.source(name)
    return list(finding.look(machine.home, source, source.roots(machine.user)).roots)


def _cleanup_days(machine: Machine) -> tuple[int | None, str]:
    """Return after how many days logs are deleted, and which file says so or could say so."""
    files = settings_files.of_claude_code(machine.user)
    for path in files:
        said: dict[str, Any] = settings_files.json_of(path)
        if "cleanupPeriodDays" in said:
            days = said["cleanupPeriodDays"]
            is_days = type(days) is int and days >= 0
            return (days if is_days else None), machine.shown(path)
    return _CLEANUP_DAYS, machine.shown(files[-1])


def _day(at_ns: int | None) -> str:
    return "?" if at_ns is None else f"{datetime.fromtimestamp(at_ns // 10**9, UTC):%Y-%m-%d}"


def _sentence(said: str | None) -> str | None:
    return f"{said[0].upper()}{said[1:]}." if said else None
