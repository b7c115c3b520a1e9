"""What chance has to do with a change: the same tasks drawn again and again, a bootstrap.

Tasks are put into at most 400 groups by a hash of their id, and groups are drawn with replacement,
as many as there are, from each period by itself. How many tasks there were was counted and not
sampled, so each resample is brought to that number: what varies is what a task is like.

Source: B. Efron (1979), Bootstrap methods: another look at the jackknife, Annals of Statistics 7,
1-26, <https://doi.org/10.1214/aos/1176344552>.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import mul
from random import Random
from typing import Final

from agenttrace.report.sums import Row
from agenttrace.report.trend.chain import Amounts, Part, Place, Prices, Term, parts_of

RESAMPLES: Final = 200

_SEED: Final = "agenttrace trend 1"


@dataclass(slots=True)
class _Columns:
    """One kind of token of one model and place, by group."""

    tokens: list[float]
    energy_wh: list[float]
    carbon_g: list[float]
    around: float = 1.0


@dataclass(slots=True)
class Groups:
    """A period by groups of tasks, centrally priced.

    Attributes:
        tasks: Of each group.
        calls: Of each group, by model and place.
        parts: The same by model, place, kind of token and basis.
    """

    tasks: list[float]
    calls: dict[Place, list[float]] = field(default_factory=dict[Place, list[float]])
    parts: dict[Term, _Columns] = field(default_factory=dict[Term, _Columns])

    @property
    def can_tell(self) -> bool:
        """One group tells nothing of how groups differ."""
        return len(self.tasks) > 1


def grouped(tasks: Mapping[int, int], rows: Iterable[Row], prices: Prices) -> Groups:
    """Return a period by groups.

    Args:
        tasks: How many of each group, by its number.
        rows: Of ``group_moments``.
        prices: What they are priced with.
    """
    order = {group: number for number, group in enumerate(sorted(tasks))}
    groups = Groups([float(tasks[group]) for group in order])
    size = len(order)
    for row in rows:
        number = order[row["task_group"]]
        place = row["provider"], row["model"], row["region"]
        groups.calls.setdefault(place, [0.0] * size)[number] += row["calls"]
        for kind, part in parts_of(row, prices):
            key = place, kind, row["basis"]
            if key not in groups.parts:
                groups.parts[key] = _Columns([0.0] * size, [0.0] * size, [0.0] * size)
            _put(groups.parts[key], number, part)
    return groups


def resampled(before: Groups, after: Groups) -> Iterator[tuple[Amounts, Amounts]]:
    """Yield both periods as other draws of their tasks could have been; the same in every run."""
    generator = Random(_SEED)  # noqa: S311 - sampling, not secrets
    for _ in range(RESAMPLES):
        yield _resample(before, generator), _resample(after, generator)


def _put(columns: _Columns, number: int, part: Part) -> None:
    columns.tokens[number] += part.tokens
    columns.energy_wh[number] += part.energy_wh
    columns.carbon_g[number] += part.carbon_g
    columns.around = part.around


def _resample(groups: Groups, generator: Random) -> Amounts:
    size = len(groups.tasks)
    drawn = [0.0] * size
    for _ in range(size):
        # Only random() is promised to give the same numbers in every Python.
        drawn[int(generator.random() * size)] += 1
    tasks = sum(groups.tasks)
    scale = tasks / _weighed(groups.tasks, drawn)
    weights = [scale * times for times in drawn]
    calls = {place: _weighed(column, weights) for place, column in groups.calls.items()}
    parts = {
        key: Part(
            _weighed(columns.tokens, weights),
            _weighed(columns.energy_wh, weights),
            _weighed(columns.carbon_g, weights),
            columns.around,
        )
        for key, columns in groups.parts.items()
    }
    return Amounts(
        tasks,
        {place: number for place, number in calls.items() if number},
        {key: part for key, part in parts.items() if part.tokens},
    )


def _weighed(column: Sequence[float], weights: Sequence[float]) -> float:
    return sum(map(mul, column, weights))
