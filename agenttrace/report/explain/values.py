"""What is said of an estimate that is taken apart, as plain values.

Units are in the names. ``None`` is what is not known, never zero.
"""

from dataclasses import dataclass
from typing import ClassVar

from agenttrace.model import Range
from agenttrace.report.values import Tokens


@dataclass(frozen=True, slots=True)
class Term:
    """One of the five products that the energy of a model's calls is the sum of.

    Attributes:
        what: What the energy goes into.
        moment: What is multiplied, as a formula of n_u, n_c and n_o.
        units: Its value, summed over the calls.
        coefficient: What it is multiplied with, as a formula.
        numbers: The same with central values in it.
        j_per_unit: Its value, J.
        energy_j: Their product.
        energy_wh: The same in Wh.
        share: Its part of the energy of the model, 0 to 1; None of no energy.
    """

    what: str
    moment: str
    units: float
    coefficient: str
    numbers: str
    j_per_unit: float
    energy_j: float
    energy_wh: float
    share: float | None


@dataclass(frozen=True, slots=True)
class ModelPart:
    """The calls of one model.

    Attributes:
        provider: Who answered; None where nothing says it.
        model: Model that answered; None where nothing says it.
        model_class: Size class whose factors are used.
        known: False where nothing matched the name, and the range spans every class.
        match_reason: Why this class and these parameters.
        calls: Model calls.
        unpriced_calls: Those whose usage lacks a side; what is missing is in no sum.
        terms: In the order of the formula; of what no meter saw.
        estimated_wh: Their sum, with the range of the draws; None where no usage is reported.
        measured_wh: What meters saw, brought to the boundary; None where there was none.
        energy_share: The part of both in all of the energy, 0 to 1.
    """

    provider: str | None
    model: str | None
    model_class: str
    known: bool
    match_reason: str
    calls: int
    unpriced_calls: int
    terms: tuple[Term, ...]
    estimated_wh: Range | None
    measured_wh: float | None
    energy_share: float | None


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """Where calls ran, and what electricity and water mean there.

    Attributes:
        provider: Who answered; None where nothing says it.
        region: Cloud region as recorded; None where nothing says it.
        zone: Zone of the grid; ``WOR`` is the world.
        calls: Model calls.
        energy_share: Their part of all of the energy, 0 to 1.
        hourly_share: Part of it for which hours of the grid are known, 0 to 1.
        g_per_kwh: Annual average of the grid, gCO2e/kWh, location-based.
        l_per_kwh: Water of site and grid, litres per kWh at the boundary.
        resolution: ``annual``, or ``world`` where the place is unknown.
        reason: Why this place.
        mark: How place and intensity are known.
        sources: Of the intensity: title and address.
    """

    provider: str | None
    region: str | None
    zone: str
    calls: int
    energy_share: float | None
    hourly_share: float | None
    g_per_kwh: Range
    l_per_kwh: Range
    resolution: str
    reason: str
    mark: str
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cited:
    """A place in a source.

    Attributes:
        title: The work.
        authors: Who wrote it.
        year: When it appeared.
        url: Its address.
        locator: Where in it, and what is found there.
        mark: How we know it: ``read``, ``excerpt`` or ``second-hand``.
    """

    title: str
    authors: str
    year: int
    url: str
    locator: str
    mark: str


@dataclass(frozen=True, slots=True)
class FactorLine:
    """One factor of the formula.

    Attributes:
        id: Its id in the factor files.
        symbol: Its letter in the formula.
        name: What it is.
        unit: Unit of low, central and high.
        low: 5 %.
        central: Median.
        high: 95 %.
        boundary: What the figure covers.
        mark: How it came from its sources.
        retrieved: When, ``YYYY-MM-DD``.
        note: What to know before using it.
        models: Models that it is used for; empty for a constant of all models.
        sources: Where it is from.
    """

    id: str
    symbol: str
    name: str
    unit: str
    low: float
    central: float
    high: float
    boundary: str
    mark: str
    retrieved: str
    note: str
    models: tuple[str, ...]
    sources: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Driver:
    """What a share of the range is due to.

    Attributes:
        id: Id of the factor.
        symbol: Its letter in the formula.
        name: What it is.
        model: Model that it belongs to; None for a constant of all models.
        share: Share of the variance that it causes alone (first-order Sobol index), 0 to 1.
        energy_if_known_wh: The range that would be left if its central value were certain.
        advice: What would make it known better.
    """

    id: str
    symbol: str
    name: str
    model: str | None
    share: float
    energy_if_known_wh: Range
    advice: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One estimate, taken apart.

    Attributes:
        store: The folder.
        subject: ``total``, ``task`` or ``call``.
        id: Of the task or the call; None for the total.
        name: Of the task, as far as it is known.
        started_at: Start of the first call; None without calls.
        calls: Model calls.
        estimated_calls: Those whose tokens agenttrace estimated.
        unpriced_calls: Those whose usage lacks a side; what is missing is in no energy.
        tokens: By kind.
        formula: Of one call, in J; calls add up.
        models: Most energy first.
        factors: The constants, then what belongs to models.
        places: Where the calls ran, most energy first.
        energy_wh: The result: exactly what the report says.
        carbon_g: CO2 equivalent of that energy, location-based.
        water_l: Water of sites and grids.
        drivers: What the range is due to, most first.
        other_drivers: How many more there are.
        other_drivers_share: Their shares of the variance, added.
        joint_share: The rest: what factors cause together, as factors of a product.
        boundary: What the energy covers.
        factor_set: Version of all factors together.
        draws: Joint draws behind each range.
        low_quantile: What the low end of a range is, 0 to 1.
        high_quantile: What the high end of a range is, 0 to 1.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar[str] = "explain"

    store: str
    subject: str
    id: str | None
    name: str | None
    started_at: str | None
    calls: int
    estimated_calls: int
    unpriced_calls: int
    tokens: Tokens
    formula: str
    models: tuple[ModelPart, ...]
    factors: tuple[FactorLine, ...]
    places: tuple[PlaceLine, ...]
    energy_wh: Range | None
    carbon_g: Range | None
    water_l: Range | None
    drivers: tuple[Driver, ...]
    other_drivers: int
    other_drivers_share: float
    joint_share: float
    boundary: str
    factor_set: str
    draws: int
    low_quantile: float
    high_quantile: float
    warnings: tuple[str, ...]
