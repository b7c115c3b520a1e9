"""Which coding agents are here, what they have logged, and for how long they keep it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agenttrace.coding_agents import CODING_AGENTS, CodingAgent
from agenttrace.doctor import settings_files
from agenttrace.doctor.findings import Finding, Machine, count, size
from agenttrace.doctor.settings_files import UnreadableSettingsError, mapping
from agenttrace.sources import agents, finding
from agenttrace.sources.finding import Found

_DAY_NS: Final = 24 * 3600 * 10**9
_DAYS: Final = 30  # that Claude Code and Gemini CLI keep their logs, if nobody says otherwise
_AGE: Final = re.compile(r"(\d{1,6})([hdwm])")
_HOURS: Final = {"h": 1, "d": 24, "w": 7 * 24, "m": 30 * 24}
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
            yield _of_logs(agent, found)
        elif agent.lacks and machine.executable(agent.commands):
            says = f"no logs to read: {agent.lacks}"
            yield Finding("Logs", agent.title, says, "note", _sentence(agent.way))
        for path, why in list(found.unreadable.items())[:_NAMED]:
            says = f"{machine.shown(path)} cannot be read: {why}"
            mend = "Give yourself permission to read it, then `agenttrace import`."
            yield Finding("Logs", agent.title, says, "warning", mend)


def retention(machine: Machine) -> Iterator[Finding]:
    """Say which agents delete their logs and when, and whether that loses anything."""
    for name, kept in _KEPT.items():
        if name not in agents.NAMES:
            continue
        source = agents.source(name)
        found = finding.look(machine.home, source, source.roots(machine.user))
        if found.files or machine.executable(CODING_AGENTS[name].commands):
            yield _of_retention(machine, CODING_AGENTS[name].title, kept(machine), found)


def _of_retention(machine: Machine, title: str, kept: "_Kept", found: Found) -> Finding:
    keep = f"Import before that: `agenttrace import`, or set {kept.key} in {kept.said_by}."
    if kept.is_unclear:
        says = f"{kept.key} in {kept.said_by} is no number of days"
        return Finding("Logs", title, says, "warning", f"Correct it in {kept.said_by}.")
    if kept.days is None:
        return Finding("Logs", title, f"keeps its logs, as {kept.said_by} says")
    if not kept.days:
        says = f"writes no logs, for {kept.key} is 0"
        return Finding("Logs", title, says, "warning", f"Set it higher in {kept.said_by}.")
    says = f"deletes its logs after {count(kept.days, 'day')}"
    age = (machine.now_ns - found.oldest_ns) // _DAY_NS if found.oldest_ns else 0
    if not found.new_files:
        return Finding("Logs", title, f"{says}; what was imported stays")
    if age < kept.days - _SOON_DAYS:
        return Finding("Logs", title, says, "note", keep)
    says += f"; the oldest is {count(age, 'day')} old, and not all is imported"
    return Finding("Logs", title, says, "warning", keep)


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


def _of_logs(agent: CodingAgent, found: Found) -> Finding:
    days = dict.fromkeys((_day(found.oldest_ns), _day(found.latest_ns)))
    says = f"{count(found.files, 'file')}, {size(found.bytes)}, {' to '.join(days)}"
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
    return finding.existing(agents.source(name).roots(machine.user))


@dataclass(frozen=True, slots=True)
class _Kept:
    """For how long an agent keeps its logs.

    Attributes:
        days: So many days; None for ever.
        key: The setting that says so.
        said_by: The file that says so, or could.
        is_unclear: It says something that is no number of days.
    """

    days: int | None
    key: str
    said_by: str
    is_unclear: bool = False


def _by_claude_code(machine: Machine) -> _Kept:
    key = "cleanupPeriodDays"
    files = settings_files.of_claude_code(machine.user)
    for path in files:
        said = _said(path).get(key)
        if said is not None:
            is_days = type(said) is int and said >= 0
            return _Kept(said if is_days else None, key, machine.shown(path), not is_days)
    return _Kept(_DAYS, key, machine.shown(files[-1]))


def _by_gemini(machine: Machine) -> _Kept:
    path = settings_files.of_gemini(machine.user)
    key, said_by = "general.sessionRetention.maxAge", machine.shown(path)
    said = mapping(mapping(_said(path).get("general")).get("sessionRetention"))
    if said.get("enabled") is False:
        return _Kept(None, key, said_by)
    age = said.get("maxAge", f"{_DAYS}d")
    found = _AGE.fullmatch(age) if isinstance(age, str) else None
    if found is None:
        return _Kept(None, key, said_by, is_unclear=True)
    # Less than a day is a day: what matters is that it is soon.
    return _Kept(max(int(found[1]) * _HOURS[found[2]] // 24, 1), key, said_by)


_KEPT: Final = {"claude-code": _by_claude_code, "gemini": _by_gemini}


def _said(path: Path) -> dict[str, Any]:
    try:
        return settings_files.json_of(path)
    except UnreadableSettingsError:
        return {}  # what is said of telemetry names it


def _day(at_ns: int | None) -> str:
    return "?" if at_ns is None else f"{datetime.fromtimestamp(at_ns // 10**9, UTC):%Y-%m-%d}"


def _sentence(said: str | None) -> str | None:
    return f"{said[0].upper()}{said[1:]}." if said else None
