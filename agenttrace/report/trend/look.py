"""Look at one period: its totals, and the sums that it is told apart by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agenttrace.compare.periods import Period
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.intensity import Intensity, intensity
from agenttrace.report.selection import Selection, selected
from agenttrace.report.sums import Row, held
from agenttrace.report.trend.chain import Amounts, Prices, priced
from agenttrace.report.trend.drivers import Energies, energies
from agenttrace.report.trend.sampling import Groups, grouped
from agenttrace.report.trend.values import By, Side
from agenttrace.report.values import Coverage, Method

if TYPE_CHECKING:
    from agenttrace.model import Range

_TASKS_OF_GROUPS = "SELECT task_group, count(*) AS tasks FROM task_group GROUP BY task_group"


@dataclass(frozen=True, slots=True)
class Look:
    """What one period shows.

    Attributes:
        period: When.
        side: Its absolute figures.
        rows: Of ``place_moments``.
        prices: What they are priced with.
        groups: Its tasks by groups; None where nobody asked.
        by: Energy by agent, project, ..., as was asked.
        coverage: What it rests on.
        method: How it was estimated.
        warnings: What to know of it.
    """

    period: Period
    side: Side
    rows: Sequence[Row]
    prices: Prices
    groups: Groups | None
    by: Mapping[By, Energies]
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]

    def amounts(self, state: int = 0) -> Amounts:
        """Return the period in one state of the factors: the central one, or a draw."""
        return priced(self.side.tasks, self.rows, self.prices, state)

    @property
    def is_priced(self) -> bool:
        """Whether there are tasks, and a call that says its usage."""
        return self.side.tasks > 0 and self.side.totals.energy_wh is not None


def look(
    reader: Reader,
    selection: Selection,
    prices: Prices,
    *,
    by: Sequence[By] = (),
    sampled: bool = False,
) -> Look:
    """Look at what *selection* chooses.

    Args:
        reader: An open reader.
        selection: Which calls.
        prices: Of *reader*.
        by: What to sum its energy up by.
        sampled: Whether to look at groups of tasks as well.
    """
    with (
        selected(reader, selection),
        held(reader, *sums.SHARED, "task_group", "group_moments", "place_moments"),
    ):
        (row,) = reader.query("totals")
        method = sums.method(reader)
        side = Side(
            period=str(selection.period),
            first_started_at=sums.moment(row["first_started_at"]),
            last_started_at=sums.moment(row["last_started_at"]),
            tasks=row["tasks"],
            totals=sums.totals(reader),
            measured_share=method.measured_share,
            factor_set=reader.factors.version,
        )
        return Look(
            period=selection.period,
            side=side,
            rows=reader.query("place_moments"),
            prices=prices,
            groups=_groups(reader, prices) if sampled else None,
            by={name: energies(reader, name) for name in by},
            coverage=sums.coverage(reader),
            method=method,
            warnings=sums.warnings(reader),
        )


def intensities(side: Side, before: Side | None) -> tuple[Intensity, ...]:
    """Return energy and carbon for each task, call and 1,000 tokens."""
    earlier = () if before is None else intensities(before, None)
    totals = side.totals
    tokens = None if totals.tokens.total is None else totals.tokens.total / 1000
    asked: list[tuple[str, str, Range | None, str, float | None]] = [
        ("energy", "Wh", totals.energy_wh, "task", side.tasks),
        ("energy", "Wh", totals.energy_wh, "call", totals.calls),
        ("energy", "Wh", totals.energy_wh, "1,000 tokens", tokens),
        ("carbon", "g", totals.carbon_g, "task", side.tasks),
    ]
    return tuple(
        intensity(
            what,
            unit,
            per,
            period=side.period,
            total=total,
            volume=volume,
            before=earlier[number] if earlier else None,
        )
        for number, (what, unit, total, per, volume) in enumerate(asked)
    )


def _groups(reader: Reader, prices: Prices) -> Groups:
    tasks = {row["task_group"]: row["tasks"] for row in reader.query(_TASKS_OF_GROUPS)}
    return grouped(tasks, reader.query("group_moments"), prices)
