"""Energy and carbon as a product of factors, per model, place and kind of token.

    energy = sum of  tasks * calls per task * share of the model in the calls * tokens per call
                     * energy per token at the accelerator * what stands around it

with one term per provider, model, region and kind of token: uncached input, cache reads, output,
and what meters of one boundary saw. Carbon has the grams per watt-hour of the grid as one factor
more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from agenttrace.compare.decomposition import Chain, Decomposition, decompose
from agenttrace.reader import Reader
from agenttrace.report.sums import Row

Place: TypeAlias = tuple[str | None, str | None, str | None]
"""Provider, model and region of calls."""

Term: TypeAlias = tuple[Place, str, str]
"""Calls of one model at one place, a kind of token, and the basis: estimated or what a meter sees.

One basis has one multiplier to the boundary of the report, so the facility of a term never moves
because another meter saw more of it.
"""

Chains: TypeAlias = Mapping[Term, Chain]
Chained: TypeAlias = Callable[["Amounts"], Chains]

ENERGY_FACTORS: Final = (
    "tasks",
    "calls_per_task",
    "mix",
    "uncached_per_call",
    "cached_per_call",
    "output_per_call",
    "measured_per_call",
    "energy_per_token",
    "facility",
)
"""What energy is a product of; of the four kinds of token each term has one."""

CARBON_FACTORS: Final = (*ENERGY_FACTORS, "grid")

_FIVE: Final = ("uncached", "uncached_context", "cached", "output", "output_context")
# By kind of token: which of the five are tokens, and which cost energy.
_KINDS: Final = {
    "uncached_per_call": (0, (0, 1)),
    "cached_per_call": (2, (2,)),
    "output_per_call": (3, (3, 4)),
}
_LEAST_TOKENS: Final = 1e-6  # what subtracting the measured tokens may leave of none


# The central values go before the draws.
_COEFFICIENTS: Final = """
SELECT
    provider, model, basis, -1 AS draw,
    j_uncached, j_uncached_context, j_cached, j_output, j_output_context
FROM model_factor
UNION ALL
SELECT
    provider, model, basis, draw,
    j_uncached, j_uncached_context, j_cached, j_output, j_output_context
FROM model_factor_draw
ORDER BY provider, model, basis, draw
"""

_GRID: Final = """
SELECT provider, region, -1 AS draw, g_per_kwh FROM place
UNION ALL
SELECT provider, region, draw, g_per_kwh FROM place_draw
ORDER BY provider, region, draw
"""

_AROUND: Final = """
SELECT -1 AS draw, boundary_factor.multiplier
FROM boundary_factor
INNER JOIN factor_set ON boundary_factor.boundary = factor_set.boundary
UNION ALL
SELECT boundary_draw.draw, boundary_draw.multiplier
FROM boundary_draw
INNER JOIN factor_set ON boundary_draw.boundary = factor_set.boundary
ORDER BY draw
"""


@dataclass(frozen=True, slots=True)
class Prices:
    """What moments are priced with, centrally (state 0) and in each draw (from 1).

    Attributes:
        coefficients: Joules per unit of the five moments, by provider, model and basis.
        around: Joules at the boundary for one at the accelerator.
        grid: gCO2e/kWh, by provider and region.
    """

    coefficients: Mapping[tuple[str | None, str | None, str], Sequence[Sequence[float]]]
    around: Sequence[float]
    grid: Mapping[tuple[str | None, str | None], Sequence[float]]

    @property
    def states(self) -> int:
        """The central one and the draws."""
        return len(self.around)


@dataclass(slots=True)
class Part:
    """Calls of one model at one place, as far as one kind of token goes."""

    tokens: float = 0.0
    energy_wh: float = 0.0
    carbon_g: float = 0.0
    around: float = 1.0

    def add(self, other: "Part") -> None:
        """Add calls that are priced with the same factors."""
        self.tokens += other.tokens
        self.energy_wh += other.energy_wh
        self.carbon_g += other.carbon_g
        self.around = other.around


@dataclass(frozen=True, slots=True)
class Amounts:
    """A period in one state of the factors.

    Attributes:
        tasks: How many.
        calls: By model and place.
        parts: By model, place, kind of token and basis.
    """

    tasks: float
    calls: Mapping[Place, float]
    parts: Mapping[Term, Part]

    @property
    def energy_wh(self) -> float:
        """All of it."""
        return sum(part.energy_wh for part in self.parts.values())

    @property
    def carbon_g(self) -> float:
        """All of it."""
        return sum(part.carbon_g for part in self.parts.values())


def prices(reader: Reader) -> Prices:
    """Return what *reader* prices calls with."""
    coefficients: dict[tuple[str | None, str | None, str], list[Sequence[float]]] = {}
    for provider, model, basis, _, *values in reader.table(_COEFFICIENTS).rows:
        coefficients.setdefault((provider, model, basis), []).append(values)
    grid: dict[tuple[str | None, str | None], list[float]] = {}
    for provider, region, _, grams in reader.table(_GRID).rows:
        grid.setdefault((provider, region), []).append(grams)
    around = [multiplier for _, multiplier in reader.table(_AROUND).rows]
    return Prices(coefficients=coefficients, around=around, grid=grid)


def priced(tasks: float, rows: Iterable[Row], prices: Prices, state: int = 0) -> Amounts:
    """Price the rows of ``place_moments`` in one state."""
    calls: dict[Place, float] = {}
    parts: dict[Term, Part] = {}
    for row in rows:
        place = row["provider"], row["model"], row["region"]
        calls[place] = calls.get(place, 0.0) + row["calls"]
        for kind, part in parts_of(row, prices, state):
            parts.setdefault((place, kind, row["basis"]), Part()).add(part)
    return Amounts(tasks, calls, parts)


def parts_of(row: Row, prices: Prices, state: int = 0) -> Iterable[tuple[str, Part]]:
    """Yield what a row of ``place_moments`` takes by kind of token; nothing where no usage is."""
    found = prices.coefficients.get((row["provider"], row["model"], row["basis"]))
    if found is None:
        return
    moments = [float(row[name] or 0) for name in _FIVE]
    grams = prices.grid[row["provider"], row["region"]][state]
    products = [
        _products(values, found[state]) for values in (moments, row["hourly"], row["hourly_g"])
    ]
    if row["basis"] != "estimated":
        # A call of which only the joules are known counts as one token.
        tokens = float(row["measured_tokens"]) or 1.0
        yield "measured_per_call", _part(tokens, products, (0,), grams, found[state][0])
        return
    for kind, (place, costs) in _KINDS.items():
        if moments[place] > _LEAST_TOKENS:
            part = _part(moments[place], products, costs, grams, prices.around[state])
            yield kind, part


def energy_chains(amounts: Amounts) -> Chains:
    """Return the factors of the energy of each model, place and kind of token."""
    return _chains(amounts, _energy_tail)


def carbon_chains(amounts: Amounts) -> Chains:
    """Return the factors of the carbon of each model, place and kind of token."""
    return _chains(amounts, _carbon_tail)


def told_apart(before: Amounts, after: Amounts, chains: Chained) -> Decomposition:
    """Tell the change from one period to another apart.

    Args:
        before: The earlier period; both have tasks and calls.
        after: The later one.
        chains: :func:`energy_chains` or :func:`carbon_chains`.
    """
    earlier, later = chains(before), chains(after)
    return decompose(
        {**_lacking(later, earlier, before.calls), **earlier},
        {**_lacking(earlier, later, after.calls), **later},
    )


def _lacking(there: Chains, here: Chains, calls: Mapping[Place, float]) -> dict[Term, Chain]:
    """Return the factors of what a period lacks: its model made no call, or moved no such token."""
    found: dict[Term, Chain] = {}
    for (place, kind, basis), chain in there.items():
        if (place, kind, basis) not in here:
            zero = kind if calls.get(place) else "mix"
            found[place, kind, basis] = {name: 0.0 if name == zero else None for name in chain}
    return found


def _chains(amounts: Amounts, tail: Callable[[Part], dict[str, float]]) -> Chains:
    all_calls = sum(amounts.calls.values())
    found: dict[Term, Chain] = {}
    for (place, kind, basis), part in amounts.parts.items():
        calls = amounts.calls[place]
        found[place, kind, basis] = {
            "tasks": amounts.tasks,
            "calls_per_task": all_calls / amounts.tasks,
            "mix": calls / all_calls,
            kind: part.tokens / calls,
            **tail(part),
        }
    return found


def _energy_tail(part: Part) -> dict[str, float]:
    around = part.around
    return {"energy_per_token": part.energy_wh / part.tokens / around, "facility": around}


def _carbon_tail(part: Part) -> dict[str, float]:
    grid = part.carbon_g / part.energy_wh if part.energy_wh else 0.0
    return {**_energy_tail(part), "grid": grid}


def _part(
    tokens: float,
    products: Sequence[Sequence[float]],
    costs: Sequence[int],
    grams: float,
    around: float,
) -> Part:
    joules, hourly_j, hourly_jg = (sum(values[one] for one in costs) for values in products)
    return Part(
        tokens=tokens,
        energy_wh=joules / 3600,
        carbon_g=((joules - hourly_j) * grams + hourly_jg) / 3.6e6,
        around=around,
    )


def _products(moments: Sequence[float], coefficients: Sequence[float]) -> list[float]:
    return [one * other for one, other in zip(moments, coefficients, strict=True)]
