"""Lines of the report: the calls by role, by depth, and by agent, project, day and task."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.hidden.energies import NONE, Energies, energies
from agenttrace.report.hidden.values import By, Group, Layer, Line
from agenttrace.report.intensity import Intensity, intensity
from agenttrace.report.sums import Row, quoted
from agenttrace.report.values import Totals

_MOVED: Final = """
SELECT
    {key} AS part,
    count(DISTINCT agent_moments.task_id) AS tasks,
    sum(agent_moments.calls)::BIGINT AS calls,
    coalesce(sum(agent_moments.calls) FILTER (WHERE agent_moments.hidden), 0)::BIGINT
        AS hidden_calls,
    CASE
        WHEN sum(agent_moments.total_tokens_calls) > 0 THEN sum(agent_moments.total_tokens)
    END::BIGINT AS total_tokens,
    CASE
        WHEN coalesce(sum(agent_moments.calls) FILTER (WHERE agent_moments.hidden), 0) = 0 THEN 0
        WHEN sum(agent_moments.total_tokens_calls) FILTER (WHERE agent_moments.hidden) > 0
            THEN sum(agent_moments.total_tokens) FILTER (WHERE agent_moments.hidden)
    END::BIGINT AS hidden_tokens,
    CASE
        WHEN coalesce(sum(agent_moments.calls) FILTER (WHERE agent_moments.hidden), 0) = 0 THEN 0
        ELSE sum(agent_moments.energy_wh) FILTER (WHERE agent_moments.hidden)
    END AS hidden_energy_wh
FROM agent_moments
GROUP BY part
"""


_Amount = tuple[str, str, Range | None]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the lines of a kind come from.

    Attributes:
        view: Query with a row for each.
        column: Its column with the name.
        key: The same of a row of ``agent_moments`` and ``task_workload``.
    """

    view: str
    column: str
    key: str


_SOURCES: Final[dict[By, _Source]] = {
    "agent": _Source("agent_amplification", "agent", "agent_moments.agent"),
    "project": _Source("project_amplification", "project", "task_workload.project"),
    "day": _Source("day_amplification", "day", "agent_moments.day"),
    "task": _Source("amplification", "task_id", "agent_moments.task_id"),
}
KINDS: Final = tuple(_SOURCES)
_LARGEST: Final = "energy_wh DESC NULLS LAST, calls DESC, {column}"
_OF_A_TASK: Final = """
SELECT
    *,
    1 AS tasks,
    (user_turns IS NULL)::BIGINT AS unknown_tasks,
    CASE WHEN user_turns > 0 THEN calls ELSE 0 END AS turn_calls,
    CASE WHEN user_turns > 0 THEN total_tokens END AS turn_tokens
FROM amplification
"""


def layers(reader: Reader, totals: Totals) -> Iterator[Layer]:
    """Yield the visible calls and the hidden ones, where there is any call."""
    if not totals.calls:
        return
    whole = totals.energy_wh.central if totals.energy_wh else None
    rows = {row["part"]: row for row in _moved(reader, "agent_moments.hidden")}
    priced = energies(reader, "agent_moments.hidden")
    for name, is_hidden in (("visible", False), ("hidden", True)):
        row, nothing = rows.get(is_hidden), is_hidden not in rows
        calls = 0 if row is None else row["calls"]
        tokens = 0 if row is None else row["total_tokens"]
        energy = Range(0, 0, 0) if nothing else priced.get(is_hidden, NONE).all_wh
        yield Layer(
            name=name,
            calls=calls,
            calls_share=calls / totals.calls,
            tokens=tokens,
            tokens_share=share(tokens, totals.tokens.total),
            energy_wh=energy,
            energy_share=share(energy.central if energy else None, whole),
        )


def roles(reader: Reader, totals: Totals) -> tuple[Line, ...]:
    """Return a line for each role, the most energy first."""
    return tuple(sorted(_lines(reader, "agent_moments.role", totals), key=_most_energy))


def depths(reader: Reader, totals: Totals) -> tuple[Line, ...]:
    """Return a line for each number of agents around the calls, none first."""
    lines = _lines(reader, "agent_moments.agent_depth", totals)
    return tuple(sorted(lines, key=lambda line: int(line.name or 0)))


def group(reader: Reader, by: By, limit: int, *, period: str, totals: Totals) -> Group:
    """Return the largest lines of a kind, or the last days.

    Args:
        reader: An open reader, in which ``agent_moments`` and ``task_workload`` are held.
        by: Which kind.
        limit: How many lines at most.
        period: What every figure is of.
        totals: Of everything selected.
    """
    source = _SOURCES[by]
    rows = _OF_A_TASK if by == "task" else f"FROM {source.view}"
    order = "day DESC" if by == "day" else _LARGEST.format(column=source.column)
    shown = reader.query(f"FROM ({rows}) ORDER BY {order} LIMIT {limit:d}")
    ((many,),) = reader.table(f"FROM {source.view} SELECT count(*)").rows
    names = [row[source.column] for row in shown]
    priced = energies(reader, source.key, _any_of(names)) if shown else {}
    lines = [
        _line(row, row[source.column], priced.get(row[source.column], NONE), totals, period)
        for row in shown
    ]
    if by == "day":
        lines.reverse()
    return Group(by, tuple(lines), many - len(lines))


def share(part: float | None, whole: float | None) -> float | None:
    """Return *part* of *whole*, 0 to 1; None where either is not known or there is no whole."""
    return None if part is None or not whole else min(1.0, part / whole)


def per_turn(
    period: str,
    *,
    user_turns: float | None,
    calls: int,
    tokens: int | None,
    energy_wh: Range | None,
    before: Sequence[Intensity] | None = None,
) -> tuple[Intensity, ...]:
    """Return calls, tokens and energy for each user turn; nothing is known without a turn."""
    amounts = _amounts(calls, tokens, energy_wh)
    return _each("user turn", period, user_turns, amounts, before)


def per_task(
    period: str,
    *,
    tasks: int,
    calls: int,
    tokens: int | None,
    energy_wh: Range | None,
    before: Sequence[Intensity] | None = None,
) -> tuple[Intensity, ...]:
    """Return calls, tokens and energy for each task."""
    return _each("task", period, tasks, _amounts(calls, tokens, energy_wh), before)


def _amounts(calls: int, tokens: int | None, energy_wh: Range | None) -> tuple[_Amount, ...]:
    # Without a call there are no tokens and no energy, rather than unknown ones.
    nothing = None if calls else Range(0, 0, 0)
    return (
        ("calls", "calls", Range(calls, calls, calls)),
        ("tokens", "tokens", nothing if tokens is None else Range(tokens, tokens, tokens)),
        ("energy", "Wh", nothing if energy_wh is None else energy_wh),
    )


def _each(
    per: str,
    period: str,
    volume: float | None,
    amounts: Sequence[_Amount],
    before: Sequence[Intensity] | None,
) -> tuple[Intensity, ...]:
    return tuple(
        intensity(what, unit, per, period=period, total=total, volume=volume, before=earlier)
        for (what, unit, total), earlier in zip(amounts, before or [None] * 3, strict=True)
    )


def _moved(reader: Reader, key: str) -> list[Row]:
    return reader.query(_MOVED.format(key=key))


def _lines(reader: Reader, key: str, totals: Totals) -> Iterator[Line]:
    priced = energies(reader, key)
    for row in _moved(reader, key):
        yield _line(row, row["part"], priced.get(row["part"], NONE), totals)


def _line(
    row: Row, name: object, energy: Energies, totals: Totals, period: str | None = None
) -> Line:
    whole = totals.energy_wh.central if totals.energy_wh else None
    central = energy.all_wh.central if energy.all_wh else None
    # Sums in another order differ in the last digit, and all of it is not nearly all.
    is_all_hidden = row["hidden_calls"] == row["calls"]
    return Line(
        name=None if name is None else str(name),
        task_name=row.get("task_name"),
        tasks=row["tasks"],
        calls=row["calls"],
        hidden_calls=row["hidden_calls"],
        tokens=row["total_tokens"],
        hidden_tokens=row["hidden_tokens"],
        energy_wh=energy.all_wh,
        hidden_energy_wh=central if is_all_hidden else row["hidden_energy_wh"],
        energy_share=share(central, whole),
        unknown_tasks=row.get("unknown_tasks", 0),
        per_turn=()
        if period is None
        else per_turn(
            period,
            user_turns=row["user_turns"],
            calls=row["turn_calls"],
            tokens=row["turn_tokens"],
            energy_wh=energy.turn_wh,
        ),
    )


def _any_of(names: Sequence[object]) -> str:
    listed = ", ".join(quoted(str(name)) for name in names if name is not None)
    return f"part::VARCHAR IN ({listed}) OR part IS NULL" if listed else "part IS NULL"


def _most_energy(line: Line) -> tuple[float, int, str]:
    return -(line.energy_wh.central if line.energy_wh else -1.0), -line.calls, line.name or ""
