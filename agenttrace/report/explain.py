"""Take an estimate apart: what went in, the formula with its numbers, sources, what is unsure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from agenttrace.compare import explain, sensitivity
from agenttrace.compare.sensitivity import Shared, Unknown, Used
from agenttrace.energy.draws import PlaceFactor
from agenttrace.energy.estimate import (
    HIGH_QUANTILE,
    JOULES_PER_WH,
    LOW_QUANTILE,
    Constants,
    ModelFactor,
    Moments,
    energy_j,
    spread,
    total,
)
from agenttrace.energy.factors import Factor
from agenttrace.errors import QueryError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.context import in_sight
from agenttrace.report.sums import Row, held, narrowed
from agenttrace.report.values import Tokens

TOTAL: Final = "total"

_DRIVERS_SHOWN: Final = 6
_LEAST_SHOWN: Final = 0.01  # share of the variance
_NAMED: Final = 3

_MOMENTS: Final = """
SELECT
    model_moments.provider,
    model_moments.model,
    model_moments.basis,
    sum(model_moments.calls)::BIGINT AS calls,
    sum(model_moments.calls_unpriced)::BIGINT AS calls_unpriced,
    sum(model_moments.uncached) AS uncached,
    sum(model_moments.uncached_context) AS uncached_context,
    sum(model_moments.cached) AS cached,
    sum(model_moments.output) AS output,
    sum(model_moments.output_context) AS output_context,
    sum(model_moments.energy_wh) AS energy_wh
FROM model_moments
GROUP BY model_moments.provider, model_moments.model, model_moments.basis
ORDER BY energy_wh DESC NULLS LAST, model_moments.provider, model_moments.model
"""

_PLACES: Final = """
SELECT
    model_moments.provider,
    model_moments.region,
    sum(model_moments.calls)::BIGINT AS calls,
    sum(model_moments.energy_wh) AS energy_wh,
    sum(model_moments.energy_wh * model_moments.hourly_share) AS hourly_wh
FROM model_moments
GROUP BY model_moments.provider, model_moments.region
ORDER BY energy_wh DESC NULLS LAST, model_moments.provider, model_moments.region
"""

_TASKS: Final = """
SELECT DISTINCT task_sum.task_id
FROM task_sum
WHERE starts_with(task_sum.task_id, $1) AND task_sum.structure_spans > 0
ORDER BY task_sum.task_id
"""

# A call is told by its task and its span; the span alone will do.
_TASKS_AROUND: Final = """
SELECT DISTINCT task_sum.task_id
FROM task_sum
WHERE starts_with($1, task_sum.task_id || '-')
"""

_SPANS: Final = """
SELECT DISTINCT coalesce(span.task_id, span.trace_id) AS task_id, span.span_id
FROM span
WHERE span.kind = 'inference' AND starts_with(span.span_id, $1)
ORDER BY ALL
"""

_CALL: Final = """
SELECT
    call_energy.*,
    call_energy.unpriced::BIGINT AS calls_unpriced,
    1 AS calls,
    model_call.usage,
    model_call.task_name
FROM call_energy
INNER JOIN model_call ON call_energy.call_id = model_call.call_id
WHERE starts_with(call_energy.call_id, $1)
ORDER BY call_energy.call_id
"""

_ESTIMATED: Final = "estimated"  # the basis of what no meter saw


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


def explanation(reader: Reader, subject: str = TOTAL) -> Explanation:
    """Take apart the estimate of a task, of a call, or of everything.

    Args:
        reader: An open reader.
        subject: ``total``, or the id of a task or of a call, or its beginning.

    Raises:
        QueryError: Nothing, or more than one thing, begins with *subject*.
    """
    if subject == TOTAL:
        with held(reader, "call_total", *sums.SHARED):
            return _of_sums(reader, TOTAL, None, None)
    task_id, call_id = _found(reader, subject)
    with narrowed(reader, task_id):
        (fact,) = reader.query("FROM task_fact")
        if call_id is not None:
            return _of_call(reader, fact, call_id)
        with held(reader, *sums.SHARED):
            return _of_sums(reader, "task", task_id, fact["task_name"])


def _found(reader: Reader, beginning: str) -> tuple[str, str | None]:
    """Return the id of the one task, or of the task and the one call, that begin so."""
    if not beginning:
        raise QueryError("say the id of a task or of a call, or `total`.")
    tasks = [str(row["task_id"]) for row in reader.query(_TASKS, [beginning])]
    if beginning in tasks or len(tasks) == 1:
        return (beginning if beginning in tasks else tasks[0]), None
    if tasks:
        raise QueryError(f"{_named(tasks, 'tasks', beginning)}. Give more of the id.")
    around = [str(row["task_id"]) for row in reader.query(_TASKS_AROUND, [beginning])]
    if len(around) == 1:
        return around[0], beginning
    calls = [(row["task_id"], row["span_id"]) for row in reader.query(_SPANS, [beginning])]
    if len(calls) == 1:
        ((task_id, span_id),) = calls
        return task_id, f"{task_id}-{span_id}"
    if calls:
        names = [span_id for _, span_id in calls]
        raise QueryError(f"{_named(names, 'calls', beginning)}. Give more of the id.")
    raise QueryError(
        f"no task and no call begins with {beginning!r}. `agenttrace report` lists the largest "
        "tasks, `agenttrace query call_energy` the calls."
    )


def _named(ids: Sequence[str], what: str, beginning: str) -> str:
    named = ", ".join(ids[:_NAMED])
    if ids[_NAMED:]:
        named += f" and {len(ids) - _NAMED:,} more"
    return f"{len(ids):,} {what} begin with {beginning!r}: {named}"


def _of_sums(reader: Reader, subject: str, id_: str | None, name: str | None) -> Explanation:
    (row,) = reader.query("totals")
    totals = sums.totals(reader)
    return _explained(
        reader,
        reader.query(_MOMENTS),
        reader.query(_PLACES),
        _Result(
            subject=subject,
            id=id_,
            name=name,
            started_at=sums.moment(row["first_started_at"]),
            estimated_calls=totals.estimated_calls,
            tokens=totals.tokens,
            energy_wh=totals.energy_wh,
            carbon_g=totals.carbon_g,
            water_l=sums.spread(row["water_low_l"], row["water_l"], row["water_high_l"]),
        ),
    )


def _of_call(reader: Reader, fact: Row, beginning: str) -> Explanation:
    with in_sight(reader, fact), held(reader, "model_call", "call_energy"):
        rows = reader.query(_CALL, [beginning])
    if len(rows) != 1:
        raise QueryError(_not_one_call(reader, fact, beginning, [row["call_id"] for row in rows]))
    (call,) = rows
    parts = _parts_of_call(call)
    place = {
        "provider": call["provider"],
        "region": call["region"],
        "calls": 1,
        "energy_wh": call["energy_wh"],
        "hourly_wh": call["energy_wh"] if call["resolution"] == "hourly" else 0.0,
    }
    energy_wh, carbon_g, water_l = _ranges_of_call(reader, call, parts)
    return _explained(
        reader,
        parts,
        [place],
        _Result(
            subject="call",
            id=call["call_id"],
            name=call["task_name"],
            started_at=sums.moment(call["started_at"]),
            estimated_calls=int(call["usage"] == "estimated"),
            tokens=sums.tokens(call),
            energy_wh=energy_wh,
            carbon_g=carbon_g,
            water_l=water_l,
        ),
    )


def _parts_of_call(call: Row) -> list[Row]:
    """Return a call as rows of moments: what a meter saw of it, and the estimate of the rest."""
    rest = 1 - call["covered"]
    moments = {name: (call[name] or 0.0) * rest for name in Moments._fields}
    estimate_wh = None if call["estimate_wh"] is None else call["estimate_wh"] * rest
    found = [{**call, **moments, "basis": _ESTIMATED, "energy_wh": estimate_wh}]
    if call["measured_wh"] is not None:
        seen = dict.fromkeys(Moments._fields, 0.0)
        none = {"calls": 0, "calls_unpriced": 0}
        found.append(
            {**call, **seen, **none, "basis": "measured", "energy_wh": call["measured_wh"]}
        )
    return found


def _ranges_of_call(
    reader: Reader, call: Row, parts: Sequence[Row]
) -> tuple[Range | None, Range | None, Range | None]:
    """Return energy, carbon and water of a call: centrals as its row has them, and their draws."""
    used = _used(reader, parts)
    if call["energy_wh"] is None or not used:
        return None, None, None
    measured_wh = call["measured_wh"] or 0.0
    drawn = [
        measured_wh
        + sum(energy_j(one.moments, one.factor.draws[number]) for one in used) / JOULES_PER_WH
        for number in range(reader.factors.draws)
    ]
    place = _place(reader, call)
    # An hour's intensity is known; a year's is drawn.
    grams = place.g_draws
    if call["resolution"] == "hourly" and call["energy_wh"]:
        grams = [1000 * call["carbon_g"] / call["energy_wh"]] * len(drawn)
    return (
        spread(call["energy_wh"], drawn),
        spread(call["carbon_g"], [wh * g / 1000 for wh, g in zip(drawn, grams, strict=True)]),
        spread(call["water_l"], [w * n / 1000 for w, n in zip(drawn, place.l_draws, strict=True)]),
    )


def _place(reader: Reader, row: Row) -> PlaceFactor:
    return next(
        one
        for one in reader.factors.places
        if (one.provider, one.region) == (row["provider"], row["region"])
    )


def _not_one_call(reader: Reader, fact: Row, beginning: str, found: Sequence[str]) -> str:
    if found:
        return f"{_named(found, 'calls', beginning)}. Give more of the id."
    if reader.pruned_before:
        return (
            f"there is no call {beginning!r} any more: spans from before {reader.pruned_before} "
            f"(UTC) were pruned. `agenttrace explain {fact['task_id']}` explains their sum."
        )
    return (
        f"no call begins with {beginning!r}, or what does is counted elsewhere. "
        f"`agenttrace report task {fact['task_id']} --format json` has the id of each call."
    )


@dataclass(frozen=True, slots=True)
class _Result:
    """What is explained, and what the report says of it; fields as in :class:`Explanation`."""

    subject: str
    id: str | None
    name: str | None
    started_at: str | None
    estimated_calls: int
    tokens: Tokens
    energy_wh: Range | None
    carbon_g: Range | None
    water_l: Range | None


def _explained(
    reader: Reader, rows: Sequence[Row], places: Sequence[Row], result: _Result
) -> Explanation:
    factors = reader.factors
    used = _used(reader, rows)
    found = sensitivity.shares(used, _shared(reader)) if result.energy_wh else []
    shown = [one for one in found[:_DRIVERS_SHOWN] if one.share >= _LEAST_SHOWN]
    others = found[len(shown) :]
    return Explanation(
        store=str(reader.home),
        subject=result.subject,
        id=result.id,
        name=result.name,
        started_at=result.started_at,
        calls=sum(row["calls"] for row in rows),
        estimated_calls=result.estimated_calls,
        unpriced_calls=sum(row["calls_unpriced"] for row in rows),
        tokens=result.tokens,
        formula=explain.formula(factors.boundary),
        models=tuple(_models(reader, rows, result.energy_wh)),
        factors=tuple(_factors(reader, used)),
        places=tuple(_place_line(reader, row, result.energy_wh) for row in places),
        energy_wh=result.energy_wh,
        carbon_g=result.carbon_g,
        water_l=result.water_l,
        drivers=tuple(_driver(reader, used, one) for one in shown),
        other_drivers=len(others),
        other_drivers_share=sum(one.share for one in others),
        joint_share=max(0.0, 1 - sum(one.share for one in found)) if found else 0.0,
        boundary=factors.boundary,
        factor_set=factors.version,
        draws=factors.draws,
        low_quantile=LOW_QUANTILE,
        high_quantile=HIGH_QUANTILE,
        warnings=(*reader.store_warnings, *_warnings(reader, used, rows)),
    )


def _warnings(reader: Reader, used: Iterable[Used], rows: Iterable[Row]) -> Iterable[str]:
    concerned = [one.factor for one in used]
    unknown = [one for one in reader.factors.models if not one.match.known]
    for one, warning in zip(unknown, reader.factors.warnings, strict=True):
        if one in concerned:
            yield warning
    if any(row["basis"] != _ESTIMATED for row in rows):
        yield (
            "A part of the energy was measured: the formula, and what the range is due to, are "
            "about the rest."
        )


def _place_line(reader: Reader, row: Row, energy_wh: Range | None) -> PlaceLine:
    one = _place(reader, row)
    return PlaceLine(
        provider=one.provider,
        region=one.region,
        zone=one.place.zone,
        calls=row["calls"],
        energy_share=_share(row["energy_wh"], energy_wh),
        hourly_share=row["hourly_wh"] / row["energy_wh"] if row["energy_wh"] else None,
        g_per_kwh=one.g_per_kwh,
        l_per_kwh=one.l_per_kwh,
        resolution=one.place.resolution,
        reason=one.place.reason,
        mark=one.place.mark,
        sources=tuple((source.title, source.url) for source in one.place.sources),
    )


def _used(reader: Reader, rows: Iterable[Row]) -> list[Used]:
    """Return the moments of what was estimated; a side that no call reports is nothing here."""
    factors = {(one.provider, one.model): one for one in reader.factors.models}
    return [
        Used(_moments(row), factors[row["provider"], row["model"]])
        for row in rows
        if row["basis"] == _ESTIMATED
    ]


def _moments(row: Row) -> Moments:
    return Moments(*(float(row[name] or 0) for name in Moments._fields))


def _models(reader: Reader, rows: Sequence[Row], whole: Range | None) -> Iterable[ModelPart]:
    measured: dict[tuple[str | None, str | None], float] = {}
    for row in rows:
        if row["basis"] != _ESTIMATED:
            key = (row["provider"], row["model"])
            measured[key] = measured.get(key, 0.0) + row["energy_wh"]
    for row in rows:
        if row["basis"] == _ESTIMATED:
            (used,) = _used(reader, [row])
            seen = measured.get((row["provider"], row["model"]))
            yield _model(reader, row, used, seen, whole)


def _model(
    reader: Reader, row: Row, used: Used, measured_wh: float | None, whole: Range | None
) -> ModelPart:
    match, central = used.factor.match, row["energy_wh"]
    drawn = total([(used.moments, used.factor)])
    lines = explain.lines(
        used.moments, used.factor, reader.factors.constants, reader.factors.boundary
    )
    joules = sum(line.energy_j for line in lines)
    known = [value for value in (central, measured_wh) if value is not None]
    return ModelPart(
        provider=row["provider"],
        model=row["model"],
        model_class=match.class_name,
        known=match.known,
        match_reason=match.reason,
        calls=row["calls"],
        unpriced_calls=row["calls_unpriced"],
        terms=tuple(_term(line, joules) for line in lines),
        estimated_wh=sums.spread(drawn.low, central, drawn.high),
        measured_wh=measured_wh,
        energy_share=_share(sum(known) if known else None, whole),
    )


def _term(line: explain.Line, joules: float) -> Term:
    return Term(
        what=line.what,
        moment=line.moment,
        units=line.units,
        coefficient=line.coefficient,
        numbers=line.numbers,
        j_per_unit=line.j_per_unit,
        energy_j=line.energy_j,
        energy_wh=line.energy_j / JOULES_PER_WH,
        share=line.energy_j / joules if joules else None,
    )


def _share(part: float | None, whole: Range | None) -> float | None:
    return part / whole.central if part is not None and whole and whole.central else None


def _factors(reader: Reader, used: Sequence[Used]) -> Iterable[FactorLine]:
    for factor in _constant_factors(reader).values():
        yield factor_line(reader, factor, ())
    models: dict[str, list[str]] = {}
    own: dict[str, Factor] = {}
    for one in used:
        for factor in sensitivity.own_factors(one.factor).values():
            own[factor.id] = factor
            models.setdefault(factor.id, []).append(_label(one.factor))
    for id_, factor in own.items():
        yield factor_line(reader, factor, tuple(dict.fromkeys(models[id_])))


def factor_line(reader: Reader, factor: Factor, models: tuple[str, ...]) -> FactorLine:
    """Return a factor with its sources; *models* are those that it belongs to."""
    cited = [(citation, reader.factors.origin.sources[citation.id]) for citation in factor.sources]
    return FactorLine(
        id=factor.id,
        symbol=explain.symbol(factor),
        name=factor.name,
        unit=factor.unit,
        low=factor.low,
        central=factor.central,
        high=factor.high,
        boundary=factor.boundary,
        mark=factor.mark,
        retrieved=factor.retrieved.isoformat(),
        note=factor.note,
        models=models,
        sources=tuple(
            Cited(
                title=source.title,
                authors=source.by,
                year=source.year,
                url=source.url,
                locator=citation.locator,
                mark=source.mark,
            )
            for citation, source in cited
        ),
    )


def _driver(reader: Reader, used: Sequence[Used], share: sensitivity.Share) -> Driver:
    unknown = share.unknown
    model, factor = _factor_of(reader, used, unknown)
    return Driver(
        id=factor.id,
        symbol=explain.symbol(factor),
        name=factor.name,
        model=model,
        share=share.share,
        energy_if_known_wh=sensitivity.if_known(used, _shared(reader), unknown),
        advice=explain.advice(unknown),
    )


def _factor_of(reader: Reader, used: Iterable[Used], unknown: Unknown) -> tuple[str | None, Factor]:
    if unknown.key is None:
        return None, _constant_factors(reader)[unknown.part]
    model = next(one.factor for one in used if one.key == unknown.key)
    return unknown.key, sensitivity.own_factors(model)[unknown.part]


def _label(model: ModelFactor) -> str:
    return model.model or "not named"


def _constant_factors(reader: Reader) -> dict[str, Factor]:
    boundary = reader.factors.boundary
    return {
        name: reader.factors.origin.factors[name]
        for name in Constants._fields
        if name not in explain.NOT_IN[boundary]
    }


def _shared(reader: Reader) -> Shared:
    factors = reader.factors
    return Shared(factors.constants, factors.constant_draws, factors.boundary)
