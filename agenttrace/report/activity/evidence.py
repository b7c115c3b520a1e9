"""Tables of Markdown on what figures rest on: models, factors and places."""

from collections.abc import Iterable, Iterator

from agenttrace.model import Range
from agenttrace.report.explain.values import FactorLine, ModelPart, PlaceLine
from agenttrace.report.figures import significant


def models(models: Iterable[ModelPart]) -> Iterator[str]:
    """Yield a table of the models, why they are priced as they are, and their calls."""
    yield from (
        "## Models",
        "",
        "| provider | model | class | why | calls | energy, Wh |",
        "|---|---|---|---|---|---|",
    )
    for one in models:
        yield cells(
            one.provider,
            one.model,
            one.model_class,
            one.match_reason,
            f"{one.calls:,}",
            ends(one.estimated_wh, ""),
        )
    yield ""


def factors(factors: Iterable[FactorLine]) -> Iterator[str]:
    """Yield a table of every factor with its sources."""
    yield from (
        "## Factors",
        "",
        "| factor | unit | low / central / high | boundary | how known | models | sources |",
        "|---|---|---|---|---|---|---|",
    )
    for one in factors:
        cited = "; ".join(
            f"{source.authors}, {source.title} ({source.year}), {source.url}, {source.locator} "
            f"[{source.mark}]"
            for source in one.sources
        )
        yield cells(
            f"{one.id}: {one.name}",
            one.unit,
            f"{one.low:g} / {one.central:g} / {one.high:g}",
            one.boundary,
            f"{one.mark}, {one.retrieved}",
            ", ".join(one.models) or "all",
            cited,
        )
    yield ""


def places(places: Iterable[PlaceLine]) -> Iterator[str]:
    """Yield a table of where calls ran, and why."""
    yield from (
        "## Places",
        "",
        "| provider | region | zone | why | calls | hourly | g/kWh of the year | l/kWh | sources |",
        "|---|---|---|---|---|---|---|---|---|",
    )
    for one in places:
        yield cells(
            one.provider,
            one.region,
            f"{one.zone} ({one.resolution})",
            f"{one.reason} [{one.mark}]",
            f"{one.calls:,}",
            share(one.hourly_share),
            ends(one.g_per_kwh, ""),
            ends(one.l_per_kwh, ""),
            "; ".join(" ".join(part for part in source if part) for source in one.sources),
        )
    yield ""


def cells(*values: str | None) -> str:
    """Return a row of a table."""
    return f"| {' | '.join('' if value is None else text(value) for value in values)} |"


def text(value: str) -> str:
    """Return *value* on one line, and without what would end a cell."""
    return " ".join(value.split()).replace("|", "\\|").replace("<", "&lt;")


def ends(value: Range | None, unit: str) -> str:
    """Return a range in words, four digits each."""
    if value is None:
        return f"unknown {unit}".strip()
    low, central, high = (significant(end, 4) for end in (value.low, value.central, value.high))
    return f"{low} to {high}, central {central} {unit}".strip()


def count(value: int | None) -> str:
    """Return how many, in words."""
    return "an unknown number of" if value is None else f"{value:,}"


def share(value: float | None, none: str = "unknown") -> str:
    """Return a part of 1 in per cent; *none* where it is not known."""
    return none if value is None else f"{value:.1%}"
