"""An estimate taken apart: result, formula with its numbers, what is unsure, factors, sources."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agenttrace.compare.explain import number
from agenttrace.energy.estimate import JOULES_PER_WH
from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.explain.values import (
    Cited,
    Driver,
    Explanation,
    FactorLine,
    ModelPart,
    PlaceLine,
    Term,
)
from agenttrace.report.rows import printable
from agenttrace.report.text import parts
from agenttrace.report.values import Tokens

_MODELS_SHOWN: Final = 6
_PLACES_SHOWN: Final = 6
_COUNTED_UP_TO: Final = 1e9  # larger sums are told in powers of ten


def blocks(report: Explanation) -> Iterator[RenderableType]:
    """Yield the explanation: result first, then how it comes about, then what it rests on."""
    yield _title(report)
    yield _result(report)
    if report.energy_wh is not None:
        if any(term.units for model in report.models for term in model.terms):
            yield _formula(report)
        for model in report.models[:_MODELS_SHOWN]:
            yield _model(model)
        if report.models[_MODELS_SHOWN:]:
            yield _more_models(report.models[_MODELS_SHOWN:])
        yield _drivers(report)
        if report.factors:
            yield factors(report.factors)
        yield _places(report.places)
        yield _basis(report)
    yield from parts.cautions(report.warnings)


def _title(report: Explanation) -> Text:
    started = f"  from {parts.minute(report.started_at)} UTC" if report.started_at else ""
    text = Text.assemble(
        (f"agenttrace explain {report.subject}", parts.STRONG), (started, parts.QUIET)
    )
    if report.id is not None:
        name = f"{printable(report.name)}, " if report.name else ""
        text.append(f"\n{name}{report.subject} {printable(report.id)}", parts.QUIET)
    return text


def _result(report: Explanation) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.HEADING, no_wrap=True)
    grid.add_column()
    about = report.estimated_calls
    missing = f"; {parts.calls(report.unpriced_calls)} not in full" if report.unpriced_calls else ""
    amounts = (
        ("Energy", parts.interval(report.energy_wh, figures.ENERGY), report.boundary + missing),
        ("Carbon", parts.interval(report.carbon_g, figures.MASS, of=" CO2e"), "location-based"),
        ("Water", parts.interval(report.water_l, figures.VOLUME), "of sites and grids"),
    )
    for name, amount, remark in amounts:
        shown = parts.marked(amount, about)
        grid.add_row(name, Text.assemble((shown, parts.STRONG), (f"  {remark}", parts.QUIET)))
    grid.add_row("Calls", figures.count(report.calls))
    grid.add_row("Tokens", _tokens(report.tokens, about))
    return grid


def _tokens(tokens: Tokens, about: int) -> Text:
    text = Text(f"input {parts.about(tokens.input, about)}")
    text.append(
        f" (uncached {parts.about(tokens.input_uncached, about)}, "
        f"cache read {parts.count(tokens.cache_read)}, "
        f"cache write {parts.count(tokens.cache_write)})",
        parts.QUIET,
    )
    text.append(f", output {parts.about(tokens.output, about)}")
    return text.append(f" (reasoning {parts.count(tokens.reasoning)})", parts.QUIET)


def _formula(report: Explanation) -> RenderableType:
    # A line ends where the formula has a sum of its own, rather than anywhere.
    formula = report.formula.replace(" + n_o*(", "\n      + n_o*(")
    legend = (
        "n_c input from a cache, n_u all other input, n_o output. Calls are reckoned one by one, "
        "then added: below is the sum of each part over the calls of a model."
    )
    return Group(
        Text("The energy of one call, in J", style=parts.HEADING),
        _indented(Text(formula)),
        _indented(Text(legend, style=parts.QUIET)),
    )


def _model(model: ModelPart) -> RenderableType:
    name = printable(model.model or "not named")
    provider = f" {printable(model.provider)}" if model.provider else ""
    head = Text.assemble((f"{name}{provider}", parts.HEADING))
    head.append(f", {parts.calls(model.calls)}")
    if model.energy_share is not None:
        head.append(f", {figures.share(model.energy_share, 1)} of the energy")
    style = parts.QUIET if model.known else parts.WARNING
    reason = _indented(Text(printable(model.match_reason), style=style))
    if model.estimated_wh is None and model.measured_wh is None:
        return Group(head, reason, _indented(Text("no usage reported", style=parts.QUIET)))
    return Group(head, reason, *_terms(model), *_sums(model))


def _indented(text: Text, by: int = 2) -> Padding:
    return Padding(text, (0, 0, 0, by))


def _terms(model: ModelPart) -> Iterator[RenderableType]:
    """Yield two lines per product: its energy, and the multiplication that gives it."""
    unit = _unit(model)
    for term in model.terms:
        if not term.units:
            continue
        yield _row(term.what, term.energy_j, term.energy_wh / unit.size, unit.symbol, term.share)
        product = f"{term.moment} * {term.coefficient} = {_units(term)} * {term.numbers}"
        yield _indented(Text(product, style=parts.QUIET), by=4)


def _row(what: str, joules: float, amount: float, symbol: str, share: float | None) -> Text:
    shown = figures.share(share, 1)
    return Text(f"  {what:<25}{number(joules):>13} J{number(amount):>12} {symbol:<3}{shown:>7}")


def _units(term: Term) -> str:
    return f"{term.units:,.10g}" if term.units < _COUNTED_UP_TO else number(term.units)


def _sums(model: ModelPart) -> Iterator[Text]:
    unit = _unit(model)
    if model.measured_wh is not None:
        joules = model.measured_wh * JOULES_PER_WH
        yield _row("measured", joules, model.measured_wh / unit.size, unit.symbol, None)
    if model.estimated_wh is None or not model.estimated_wh.central:
        return
    joules = sum(term.energy_j for term in model.terms)
    amount = model.estimated_wh.central / unit.size
    what = "sum" if model.measured_wh is None else "sum of the estimate"
    line = _row(what, joules, amount, unit.symbol, 1.0)
    line.stylize(parts.STRONG)
    low, _, high = figures.bounds(model.estimated_wh, unit)
    yield line.append(f"  {low} to {high}", parts.QUIET)


def _unit(model: ModelPart) -> figures.Unit:
    central = model.estimated_wh.central if model.estimated_wh else 0.0
    return figures.unit_of(max(central, model.measured_wh or 0.0), figures.ENERGY)


def _basis(report: Explanation) -> Text:
    ends = (f"{100 * report.low_quantile:g} %", "central", f"{100 * report.high_quantile:g} %")
    return Text(
        f"Factors {report.factor_set}; ranges are {figures.dashed(ends)} "
        f"of {report.draws:,} draws; boundary {report.boundary}.",
        style=parts.QUIET,
    )


def _more_models(models: Sequence[ModelPart]) -> Text:
    share = sum(model.energy_share or 0.0 for model in models)
    calls = parts.calls(sum(model.calls for model in models))
    return Text(
        f"… {len(models):,} more models, {calls}, {figures.share(share, 1)} of the energy "
        "(--format json has each)",
        style=parts.QUIET,
    )


def _drivers(report: Explanation) -> RenderableType:
    assert report.energy_wh is not None
    if not report.drivers:
        return Text("Nothing in it is uncertain.", style=parts.QUIET)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="none")
    table.add_column(Text("What the range is due to", style=parts.HEADING))
    table.add_column(Text("share", style=parts.QUIET), justify="right", no_wrap=True)
    known = Text("if it were known", style=parts.QUIET)
    table.add_column(known, justify="right", no_wrap=True)
    for driver in report.drivers:
        left = figures.interval(driver.energy_if_known_wh, figures.ENERGY)
        table.add_row(_driver(driver), figures.share(driver.share, 1), left)
    if report.other_drivers:
        share = figures.share(report.other_drivers_share, 1)
        table.add_row(Text(f"{report.other_drivers:,} others", style=parts.QUIET), share, "")
    joint = figures.share(report.joint_share, 1)
    table.add_row(Text("several together, as factors of a product", style=parts.QUIET), joint, "")
    return Group(
        table,
        Text(
            "Shares of the variance (first-order Sobol indices). Beside each is the range that "
            "would be left if its central value were certain.",
            style=parts.QUIET,
        ),
    )


def _driver(driver: Driver) -> RenderableType:
    of = f" of {printable(driver.model)}" if driver.model else ""
    name = Text.assemble((f"{driver.symbol}{of}", parts.STRONG), f": {printable(driver.name)}")
    return Group(name, _indented(Text(printable(driver.advice), style=parts.QUIET)))


def _places(lines: Sequence[PlaceLine]) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.STRONG, no_wrap=True)
    grid.add_column()
    for line in lines[:_PLACES_SHOWN]:
        grid.add_row(line.zone, _place(line))
    if lines[_PLACES_SHOWN:]:
        more = f"… {len(lines) - _PLACES_SHOWN:,} more places (--format json has each)"
        grid.add_row("", Text(more, style=parts.QUIET))
    return Group(Text("Places, low / central / high", style=parts.HEADING), grid)


def _place(line: PlaceLine) -> Text:
    text = Text(printable(line.provider or "provider not named"))
    if line.region:
        text.append(f" in {printable(line.region)}")
    text.append(f", {parts.calls(line.calls)}")
    if line.energy_share is not None:
        text.append(f", {figures.share(line.energy_share, 1)} of the energy")
    grams, litres = (_values(value) for value in (line.g_per_kwh, line.l_per_kwh))
    text.append(f"\n{grams} g CO2e/kWh, {litres} l/kWh; {line.resolution}, {line.mark}")
    if line.hourly_share:
        text.append(f"\nhours are known of {figures.share(line.hourly_share, 1)} of the energy")
    text.append(f"\n{printable(line.reason)}", parts.QUIET)
    for title, url in line.sources:
        text.append(f"\n- {printable(title)}, {printable(url)}", parts.QUIET)
    return text


def _values(value: Range) -> str:
    if value.low == value.high:
        return number(value.central)
    return " / ".join(map(number, (value.low, value.central, value.high)))


def factors(lines: Sequence[FactorLine]) -> RenderableType:
    """Show factors, each with its sources."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.STRONG, no_wrap=True)
    grid.add_column()
    for line in lines:
        grid.add_row(line.symbol, _factor(line))
    return Group(Text("Factors, low / central / high", style=parts.HEADING), grid)


def _factor(line: FactorLine) -> Text:
    text = Text(printable(line.name))
    if line.models:
        text.append(f" ({', '.join(map(printable, line.models))})", parts.QUIET)
    values = _values(Range(line.low, line.central, line.high))
    unit = "" if line.unit == "1" else f" {line.unit}"
    text.append(f"\n{values}{unit}; {line.boundary}, {line.mark}, {line.id}")
    if line.note:
        text.append(f"\n{printable(line.note)}", parts.QUIET)
    for source in line.sources:
        text.append(f"\n- {_cited(source)}", parts.QUIET)
    return text


def _cited(source: Cited) -> str:
    locator = f": {source.locator}" if source.locator else ""
    return printable(
        f"{source.authors}, {source.title}, {source.year}, {source.url} ({source.mark}){locator}"
    )
