"""The factors of an explanation with their sources, and what the range is due to."""

from collections.abc import Iterable, Sequence

from agenttrace.compare import explain, sensitivity
from agenttrace.compare.sensitivity import Measured, Shared, Unknown, Used
from agenttrace.energy import listing
from agenttrace.energy.estimate import Constants, ModelFactor
from agenttrace.energy.factors import Factor
from agenttrace.reader import Reader
from agenttrace.report.explain.values import Cited, Driver, FactorLine


def factors(reader: Reader, used: Sequence[Used], seen: Sequence[Measured]) -> Iterable[FactorLine]:
    """Yield the constants that the energy hangs on, then what belongs to the models of *used*.

    Args:
        reader: An open reader.
        used: What no meter saw: the formula is about it.
        seen: What meters saw, which only has to be brought to the boundary.
    """
    boundary = reader.factors.boundary
    needed = set(sensitivity.between(seen, boundary))
    if used or not seen:
        needed |= set(Constants._fields) - explain.NOT_IN[boundary]
    for name in Constants._fields:
        if name in needed:
            yield factor_line(reader, reader.factors.origin.factors[name], ())
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


def driver(
    reader: Reader, used: Sequence[Used], share: sensitivity.Share, seen: Sequence[Measured] = ()
) -> Driver:
    """Return what a share of the variance is due to, and what would be left without it."""
    unknown = share.unknown
    model, factor = _factor_of(reader, used, unknown)
    return Driver(
        id=factor.id,
        symbol=explain.symbol(factor),
        name=factor.name,
        model=model,
        share=share.share,
        energy_if_known_wh=sensitivity.if_known(used, shared(reader), unknown, seen),
        advice=explain.advice(
            unknown,
            is_listed=unknown.key is not None
            and listing.is_model(reader.factors.origin, unknown.key),
            measured_at=() if used else {one.boundary for one in seen},
        ),
    )


def _factor_of(reader: Reader, used: Iterable[Used], unknown: Unknown) -> tuple[str | None, Factor]:
    if unknown.key is None:
        return None, reader.factors.origin.factors[unknown.part]
    model = next(one.factor for one in used if one.key == unknown.key)
    return unknown.key, sensitivity.own_factors(model)[unknown.part]


def _label(model: ModelFactor) -> str:
    return model.model or "not named"


def shared(reader: Reader) -> Shared:
    """Return the constants that all models share, centrally and in each draw."""
    chosen = reader.factors
    return Shared(chosen.constants, chosen.constant_draws, chosen.boundary)
