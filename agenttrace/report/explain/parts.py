"""The parts of an explanation: models with their five products, and places."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from agenttrace.compare import explain
from agenttrace.compare.sensitivity import Measured, Used
from agenttrace.energy.draws import PlaceFactor
from agenttrace.energy.estimate import JOULES_PER_WH, Moments, total
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.explain.values import ModelPart, PlaceLine, Term
from agenttrace.report.sums import Row

if TYPE_CHECKING:
    from agenttrace.energy.pricing import Boundary

ESTIMATED: Final = "estimated"
"""The basis of what no meter saw."""

MOMENTS: Final = """
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
"""The sums that energy is made from: a row per model and basis, the most energy first."""

PLACES: Final = """
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
"""Calls and central energy: a row per provider and region, the most energy first."""

_NOTHING_LEFT: Final = 1e-9  # of what was measured; what rounding leaves of a difference is less


def used(reader: Reader, rows: Sequence[Row]) -> list[Used]:
    """Return the moments of what no meter saw; a side that no call reports is nothing here.

    A model of which all was measured is left out: the formula has no part in it.
    """
    measured = _measured_wh(rows)
    return [
        _used(reader, row)
        for row in rows
        if row["basis"] == ESTIMATED and not _is_all_measured(row, measured.get(_key(row)))
    ]


def seen(rows: Iterable[Row]) -> list[Measured]:
    """Return the joules that meters saw, by what they cover."""
    joules: dict[Boundary, float] = {}
    for row in rows:
        if row["basis"] != ESTIMATED:
            joules[row["basis"]] = joules.get(row["basis"], 0.0) + row["uncached"]
    return [Measured(value, boundary) for boundary, value in sorted(joules.items())]


def models(reader: Reader, rows: Sequence[Row], whole: Range | None) -> list[ModelPart]:
    """Return the calls of each model, most energy first; *whole* is the energy of all."""
    measured = _measured_wh(rows)
    found = [
        _model(reader, row, measured.get(_key(row)), whole)
        for row in rows
        if row["basis"] == ESTIMATED
    ]
    return sorted(found, key=_most_first)


def _most_first(part: ModelPart) -> tuple[bool, float]:
    return part.energy_share is None, -(part.energy_share or 0.0)


def _key(row: Row) -> tuple[str | None, str | None]:
    return row["provider"], row["model"]


def _measured_wh(rows: Iterable[Row]) -> dict[tuple[str | None, str | None], float]:
    found: dict[tuple[str | None, str | None], float] = {}
    for row in rows:
        if row["basis"] != ESTIMATED:
            found[_key(row)] = found.get(_key(row), 0.0) + row["energy_wh"]
    return found


def _is_all_measured(row: Row, measured_wh: float | None) -> bool:
    return measured_wh is not None and abs(row["energy_wh"] or 0.0) <= _NOTHING_LEFT * measured_wh


def _used(reader: Reader, row: Row) -> Used:
    factor = next(one for one in reader.factors.models if (one.provider, one.model) == _key(row))
    return Used(Moments(*(float(row[name] or 0) for name in Moments._fields)), factor)


def _model(reader: Reader, row: Row, measured_wh: float | None, whole: Range | None) -> ModelPart:
    priced, central = _used(reader, row), row["energy_wh"]
    if central is not None and _is_all_measured(row, measured_wh):
        priced, central = Used(Moments(0.0, 0.0, 0.0, 0.0, 0.0), priced.factor), 0.0
    match = priced.factor.match
    drawn = total([(priced.moments, priced.factor)])
    lines = explain.lines(
        priced.moments, priced.factor, reader.factors.constants, reader.factors.boundary
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


def place_line(reader: Reader, row: Row, whole: Range | None) -> PlaceLine:
    """Return a place with its figures; *whole* is the energy of all."""
    one = place(reader, row)
    return PlaceLine(
        provider=one.provider,
        region=one.region,
        zone=one.place.zone,
        calls=row["calls"],
        energy_share=_share(row["energy_wh"], whole),
        hourly_share=row["hourly_wh"] / row["energy_wh"] if row["energy_wh"] else None,
        g_per_kwh=one.g_per_kwh,
        l_per_kwh=one.l_per_kwh,
        resolution=one.place.resolution,
        reason=one.place.reason,
        mark=one.place.mark,
        sources=tuple((source.title, source.url) for source in one.place.sources),
    )


def place(reader: Reader, row: Row) -> PlaceFactor:
    """Return the figures of the place of a row."""
    return next(
        one
        for one in reader.factors.places
        if (one.provider, one.region) == (row["provider"], row["region"])
    )
