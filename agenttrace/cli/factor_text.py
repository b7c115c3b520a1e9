"""What ``agenttrace factors`` shows on a terminal."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agenttrace.energy import catalogue, listing
from agenttrace.energy.archive import Kept
from agenttrace.energy.factors import (
    Change,
    Citation,
    Factor,
    Factors,
    Family,
    ModelClass,
    Provider,
)
from agenttrace.energy.library import Mix
from agenttrace.energy.listing import Cited, Record

_HEADING: Final = "bold cyan"
_QUIET: Final = "dim"
_WARNING: Final = "yellow"

_WIDE: Final = 110
"""Columns from which on a factor has one line; it has two below."""

_Three: TypeAlias = tuple[float, float, float]

_LONG: Final = 33
"""Characters to which a column is lined up at most."""

_Line: TypeAlias = tuple[str, RenderableType]

_TITLES: Final = {
    "constants": "Constants that all models share",
    "classes": "Classes of models",
    "models": "Models whose parameters are known",
    "providers": "Providers",
    "hardware": "Hardware, over the H100 that the classes stand for",
    "grids": "Electricity of a year, by country",
}
_PARTS: Final = {
    "active_parameters_b": "active parameters",
    "total_parameters_b": "all parameters",
    "decode_j_per_token": "one output token",
    "cache_bytes_per_token": "cache",
    "pue": "PUE",
    "wue_l_per_kwh": "WUE",
}
_UNITS: Final = {"1": "", "1e9 parameter": "B"}
_OWNERS: Final = {
    "constants": "formula",
    "classes": "class",
    "providers": "provider",
    "hardware": "hardware",
}


def groups(
    factors: Factors, names: Sequence[str], width: int, *, whole: bool
) -> Iterator[RenderableType]:
    """Yield groups of factors, each under its title.

    Args:
        factors: What to show.
        names: Of the groups.
        width: Of the terminal.
        whole: Whether EcoLogits' models and grids are shown, not only counted.
    """
    files = {change.key: change.file for change in factors.changes if change.table == "factor"}
    for name in names:
        yield Text(_TITLES[name], style=_HEADING)
        if name in _OWNERS:
            yield from _owners(factors, name)
            yield _factors(listing.of_owner(factors, _OWNERS[name]), files, wide=width >= _WIDE)
        elif name == "models":
            yield from _models(factors, whole=whole)
        else:
            yield _grids(factors, whole=whole)
        yield Text()
    if factors.deployments and not whole:
        yield Text("Deployments", style=_HEADING)
        yield _indented(_aligned((name, f"= {to}") for name, to in factors.deployments.items()))
        yield Text()
    if not whole:
        yield Text(
            f"version {factors.version}; low and high are 5 % and 95 % of what is known. "
            f"`agenttrace factors show ID` says more of each.",
            style=_QUIET,
        )


def record(found: Record, factors: Factors) -> RenderableType:
    """Show all that is known of one record."""
    lines = [*_about(found.value, factors), *_origin(found)]
    return Group(Text(f"{found.kind} {found.key}", style="bold"), _indented(_fields(lines)))


def _about(value: msgspec.Struct, factors: Factors) -> Iterator[_Line]:
    match value:
        case Factor():
            yield from _factor(value, factors)
        case Family():
            yield "made by", Text(value.provider)
            yield from _known(value, factors)
        case Provider():
            place = ", ".join(part for part in (value.region, value.zone) if part)
            yield "mostly in", Text(place or "not said")
            own = listing.of_owner(factors, "provider")
            yield from _parts(one for one in own if listing.owner(one) == value.factor_owner)
            yield from _provenance(value, factors)
        case ModelClass():
            yield "holds", Text(value.holds)
            own = listing.of_owner(factors, "class")
            yield from _parts(one for one in own if listing.owner(one) == value.name)
            yield "dense up to", Text(f"{value.dense_up_to_b:g} B")
            yield "mixtures up to", Text(f"{value.moe_up_to_b:g} B")
        case Mix():
            yield from _mix(value)
        case _:
            yield from ((key, Text(str(said))) for key, said in listing.plain(value).items())


def _mix(mix: Mix) -> Iterator[_Line]:
    """Yield what the electricity of a year is like; a note where a figure is the world's."""
    worldwide = " ".join(mix.warnings or ())
    for key, name, figure, unit in (
        ("gwp", "carbon", mix.gwp * 1000, "gCO2e/kWh"),
        ("wue", "water", mix.wue, "l/kWh"),
        ("pe", "primary energy", mix.pe, "MJ/kWh"),
        ("adpe", "minerals and metals", mix.adpe, "kgSbeq/kWh"),
    ):
        if figure is not None:
            of = " (the world's: the zone has none)" if f"mix-{key}-world" in worldwide else ""
            yield name, Text(f"{figure:.4g} {unit}{of}")
    yield "source", Text("ecologits-mixes")


def changes(before: Factors, after: Factors, files: Sequence[str]) -> RenderableType:
    """Show what *files* change: what was there, and what is there now."""
    made = [change for change in after.changes if change.file in files]
    table = Table.grid(padding=(0, 2, 0, 0))
    for change in made:
        table.add_row("", change.table, Text(change.key), _change(change, after))
    names = ", ".join(files)
    if not made:
        return Text(f"{names}: sound, and changes nothing.")
    return Group(Text(f"{names}: sound. Version {before.version} becomes {after.version}."), table)


def doubts(factors: Factors) -> Iterator[str]:
    """Yield what is probably not meant, though it can be read."""
    for name, model in factors.deployments.items():
        if not catalogue.match(model, factors).known:
            yield f"deployment {name!r} is said to be {model!r}, which is not in the catalogue."


def sources(found: Iterable[Cited]) -> RenderableType:
    """Show sources, two lines each."""
    lines: list[RenderableType] = []
    for one in found:
        head = Text.assemble((one.id, "bold"), f"  {one.source.mark}, {_times(one.cited_by)}")
        said = Text(f"{one.source.by} ({one.source.year}). {one.source.title}.")
        lines += [head, _indented(said), _address(one.source.url)]
    return Group(*lines)


def _times(cited: int) -> str:
    match cited:
        case 0:
            return "for tables of places"
        case 1:
            return "cited once"
        case _:
            return f"cited {cited} times"


def _address(url: str) -> Text:
    """Return an address that can be copied: it runs over the edge rather than being cut."""
    return Text(f"  {url}", no_wrap=True, overflow="ignore")


def matched(name: str, factors: Factors) -> RenderableType:
    """Show what a model is taken for, and how to say better if nothing is known of it."""
    match = catalogue.match(name, factors)
    lines: list[_Line] = [("class", Text(match.class_name)), ("because", Text(match.reason))]
    lines += [
        (label, Text(value))
        for label, value in (("made by", match.provider), ("family", match.family))
        if value
    ]
    lines += _parts(listing.parts(match))
    lines.append(("looked for", Text(", ".join(catalogue.spellings(name)))))
    parts: list[RenderableType] = [Text(name, style="bold"), _indented(_fields(lines))]
    if not match.known or not listing.is_model(factors, match.key):
        said = "Put one of these" if not match.known else "If you know more, put one of these"
        parts.append(Text(f"{said} into factors.toml in the folder of the data:", style=_WARNING))
        parts += [Text(f"  {line}".rstrip(), no_wrap=True) for line in listing.way_out(name)]
    return Group(*parts)


def versions(kept: Iterable[Kept], in_use: str) -> RenderableType:
    """Show the sets that are kept, one a line."""
    table = _table("version", "first used", "by agenttrace", "")
    for one in kept:
        note = one.trouble or ("in use" if one.version == in_use else "")
        table.add_row(
            one.version,
            f"{one.kept:%Y-%m-%d %H:%M} UTC",
            one.agenttrace or "?",
            Text(note, style=_WARNING if one.trouble else ""),
        )
    return table


def _owners(factors: Factors, group: str) -> Iterator[RenderableType]:
    """Yield what owns the factors of *group*, where that is a record of its own."""
    if group == "classes":
        table = _table("class", "what is in it")
        for one in factors.classes.values():
            table.add_row(one.name, one.holds)
        yield _indented(table)
        yield Text()
    elif group == "providers":
        table = _table("provider", "where", "factors", "mark", "sources")
        for one in factors.providers.values():
            place = one.region or one.zone or "-"
            table.add_row(one.name, place, one.factor_owner, one.mark, _keys(one.sources))
        yield _indented(table)
        yield Text()


def _factors(factors: Iterable[Factor], files: Mapping[str, str], *, wide: bool) -> RenderableType:
    rows = [(factor, _row(factor, files)) for factor in factors]
    if wide:
        table = _table("id", "low / central / high", "unit", "covers", "mark", "sources")
        for column in table.columns[:2]:
            column.no_wrap = True
        for factor, (id_, figures, unit, keys) in rows:
            table.add_row(id_, figures, unit, factor.boundary, factor.mark, keys)
        return _indented(table)
    widths = [max((len(row[place]) for _, row in rows), default=0) for place in range(2)]
    lines: list[RenderableType] = []
    for factor, (id_, figures, unit, keys) in rows:
        lines.append(Text(f"{id_:<{widths[0]}}  {figures:<{widths[1]}}  {unit}"))
        below = Text(f"{factor.boundary}, {factor.mark}: {keys}", style=_QUIET)
        lines.append(_indented(below, 4))
    return _indented(Group(*lines))


def _row(factor: Factor, files: Mapping[str, str]) -> tuple[str, str, str, str]:
    keys = _keys(factor.sources)
    if factor.id in files:
        keys += f" (from {files[factor.id]})"
    return factor.id, _span(*_three(factor)), factor.unit, keys


def _models(factors: Factors, *, whole: bool) -> Iterator[RenderableType]:
    library = factors.library.models
    if not whole:
        table = _table("family", "made by", "models", "mark", "sources")
        for family in factors.records.family:
            count = str(len(family.models))
            table.add_row(family.name, family.provider, count, family.mark, _keys(family.sources))
        yield _indented(table)
        more = len({entry.name for entry in library.values()})
        yield Text(
            f"  EcoLogits' catalogue has {more} models as well. "
            f"`agenttrace factors list models` names all.",
            style=_QUIET,
        )
        return
    yield Text("  parameters, the active ones of all; key/value cache in byte/token", style=_QUIET)
    for family in factors.records.family:
        head = f"{family.provider} {family.name}, {family.mark}: {_keys(family.sources)}"
        yield _indented(Text(head, style=_QUIET))
        rows = [
            (model.names[0], *_sizes(known))
            for model, known in (
                (model, figures) for of, model, figures in listing.figures(factors) if of is family
            )
        ]
        yield _indented(_aligned(rows), 4)
    yield Text("Models of EcoLogits", style=_HEADING)
    yield _indented(
        _aligned(
            (
                name,
                _parameters(_three(entry.active_parameters_b), _three(entry.total_parameters_b)),
                "published" if entry.published else "assumed",
            )
            for name, entry in sorted(library.items())
        )
    )


def _sizes(figures: Iterable[Factor]) -> tuple[str, str]:
    """Say a model's parameters, and its cache where that is known."""
    of = {factor.id.rpartition(".")[2]: _three(factor) for factor in figures}
    active = of["active_parameters_b"]
    cache = of.get("cache_bytes_per_token")
    return (
        _parameters(active, of.get("total_parameters_b", active)),
        f"cache {_span(*cache)}" if cache else "",
    )


def _parameters(active: _Three, total: _Three) -> str:
    if active == total:
        return f"{_span(*active)} B"
    return f"{_span(*active)} of {_span(*total)} B"


def _grids(factors: Factors, *, whole: bool) -> RenderableType:
    mixes = factors.library.mixes
    if not whole:
        return Text(
            f"  {len(mixes)} countries and regions are in EcoLogits' electricity mixes: "
            f"`agenttrace factors list grids` names them.",
            style=_QUIET,
        )
    table = _table("zone", "gCO2e/kWh", "l/kWh", "source")
    for zone in sorted(mixes):
        mix = mixes[zone]
        water = "?" if mix.wue is None else f"{mix.wue:.3g}"
        table.add_row(zone, f"{mix.gwp * 1000:.4g}", water, "ecologits-mixes")
    more = "`agenttrace grid show ZONE` knows states and cloud regions as well."
    return Group(_indented(table), Text(f"  {more}", style=_QUIET))


def _factor(factor: Factor, factors: Factors) -> list[_Line]:
    lines: list[_Line] = [
        ("is", Text(factor.name)),
        ("low / central / high", Text(_measured(factor))),
    ]
    if factor.least > 0:
        lines.append(("never below", Text(f"{factor.least:g}")))
    if factor.most < math.inf:
        lines.append(("never above", Text(f"{factor.most:g}")))
    if factor.symbol:
        lines.append(("in the formula", Text(factor.symbol)))
    return [*lines, ("covers", Text(factor.boundary)), *_provenance(factor, factors)]


def _provenance(one: Factor | Family | Provider, factors: Factors) -> Iterator[_Line]:
    yield "mark", Text(one.mark)
    yield "retrieved", Text(one.retrieved.isoformat())
    yield "sources", _citations(one.sources, factors)
    if one.note:
        yield "note", Text(one.note)


def _known(family: Family, factors: Factors) -> Iterator[_Line]:
    for model in family.models:
        yield "names", Text(", ".join(model.names))
        yield from _parts(catalogue.figures(family, model))
        if model.locator:
            yield "see", Text(model.locator)
    yield from _provenance(family, factors)


def _parts(factors: Iterable[Factor]) -> Iterator[_Line]:
    for factor in factors:
        part = factor.id.rpartition(".")[2]
        yield _PARTS.get(part, part), Text(f"{_measured(factor)} ({factor.mark})")


def _measured(factor: Factor) -> str:
    return f"{_span(*_three(factor))} {_UNITS.get(factor.unit, factor.unit)}".strip()


def _origin(found: Record) -> Iterator[_Line]:
    if found.file:
        yield "from", Text(found.file)
    if found.before:
        keys = _keys(found.before.sources)
        yield "in place of", Text(f"{_measured(found.before)} ({keys})")


def _citations(citations: Sequence[Citation], factors: Factors) -> RenderableType:
    lines: list[RenderableType] = []
    for citation in citations:
        source = factors.sources[citation.id]
        lines.append(
            Text(f"{citation.id} ({source.mark}): {source.by} ({source.year}), {source.title}")
        )
        lines.append(_address(source.url))
        if citation.locator:
            lines.append(_indented(Text(citation.locator)))
    return Group(*lines)


def _change(change: Change, after: Factors) -> Text:
    if change.table == "factor":
        now = after.factors[change.key]
        if change.before is None:
            return Text(f"new: {_measured(now)}")
        return Text(f"{_span(*_three(change.before))} -> {_measured(now)}")
    if change.table == "deployment":
        return Text(f"= {after.deployments[change.key]}")
    return Text("replaced" if change.replaces else "new")


def _fields(lines: Iterable[_Line]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style=_QUIET, no_wrap=True)
    table.add_column()
    for name, value in lines:
        table.add_row(name, value)
    return table


def _table(*titles: str) -> Table:
    """Return a table whose last column wraps first."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=_QUIET)
    for number, title in enumerate(titles, start=1):
        table.add_column(title, overflow="fold", no_wrap=number == 1)
    return table


def _keys(citations: Iterable[Citation]) -> str:
    return ", ".join(dict.fromkeys(citation.id for citation in citations))


def _indented(part: RenderableType, columns: int = 2) -> Padding:
    return Padding(part, (0, 0, 0, columns))


def _aligned(rows: Iterable[Sequence[str]]) -> Group:
    """Lay rows out in columns; what is longer than a column may be pushes the rest on."""
    whole = list(rows)
    columns = zip(*whole, strict=True)
    widths = [min(max(map(len, column)), _LONG) for column in columns]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in whole)
    return Group(*(Text(line, overflow="fold") for line in lines))


def _three(found: Any) -> _Three:
    return found.low, found.central, found.high


def _span(low: float, central: float, high: float) -> str:
    """Write a range with three digits each, or the one number that it is."""
    values = (central,) if low == high else (low, central, high)
    return " / ".join(f"{float(f'{value:.3g}'):,g}" for value in values)
