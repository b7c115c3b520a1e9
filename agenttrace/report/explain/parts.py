"""The parts of an explanation: models with their five products, and places."""

from collections.abc import Iterable, Sequence
from typing import Final

from agenttrace.compare import explain
from agenttrace.compare.sensitivity import Used
from agenttrace.energy.draws import PlaceFactor
from agenttrace.energy.estimate import JOULES_PER_WH, Moments, total
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.explain.values import ModelPart, PlaceLine, Term
from agenttrace.report.sums import Row

ESTIMATED: Final = "estimated"
"""The basis of what no meter saw."""


def used(reader: Reader, rows: Iterable[Row]) -> list[Used]:
    """Return the moments of what was estimated; a side that no call reports is nothing here."""
    factors = {(one.provider, one.model): one for one in reader.factors.models}
    return [
        Used(_moments(row), factors[row["provider"], row["model"]])
        for row in rows
        if row["basis"] == ESTIMATED
    ]


def _moments(row: Row) -> Moments:
    return Moments(*(float(row[name] or 0) for name in Moments._fields))


def models(reader: Reader, rows: Sequence[Row], whole: Range | None) -> Iterable[ModelPart]:
    """Yield the calls of each model, in the order of *rows*; *whole* is the energy of all."""
    measured: dict[tuple[str | None, str | None], float] = {}
    for row in rows:
        if row["basis"] != ESTIMATED:
            key = (row["provider"], row["model"])
            measured[key] = measured.get(key, 0.0) + row["energy_wh"]
    for row in rows:
        if row["basis"] == ESTIMATED:
            (one,) = used(reader, [row])
            seen = measured.get((row["provider"], row["model"]))
            yield _model(reader, row, one, seen, whole)


def _model(
    reader: Reader, row: Row, priced: Used, measured_wh: float | None, whole: Range | None
) -> ModelPart:
    match, central = priced.factor.match, row["energy_wh"]
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
