"""Totals, and what they rest on, as every report on calls shows them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agenttrace.report import figures
from agenttrace.report.rows import printable
from agenttrace.report.text import parts
from agenttrace.report.values import (
    Coverage,
    Method,
    Place,
    Totals,
    Unseen,
)

_LABEL_WIDTH: Final = 15
_PLACES_NAMED: Final = 2


def title(name: str, first_started_at: str | None, last_started_at: str | None) -> Text:
    """Return the first line of a report: its command and its period."""
    period = parts.period(first_started_at, last_started_at)
    return Text.assemble((name, parts.STRONG), ("  " + period, parts.QUIET))


def no_calls(
    tasks: int | None, cut_off_tasks: int, selection: str = parts.EVERYTHING
) -> RenderableType:
    """Say that there are none: of no calls, every sum is zero and nothing is unreported."""
    if selection != parts.EVERYTHING:
        return Text(f"No model call is recorded ({parts.chosen(selection)}).")
    text = Text("Calls  0", style=parts.STRONG)
    if tasks is not None:
        cut_off = f"  {parts.listed(('cut off', cut_off_tasks))}".rstrip()
        text = (
            Text.assemble((f"Tasks  {tasks:,}", parts.STRONG), (f"{cut_off}\n", parts.QUIET)) + text
        )
    return text.append(
        "\n\nNo model call was recorded. Is agenttrace.configure() called in the process that makes"
        " them?",
        style="not bold",
    )


def headline(
    totals: Totals, method: Method, tasks: int | None, cut_off_tasks: int
) -> RenderableType:
    """Show the sums over all calls; *tasks* is None where they are of one task, or of no matter."""
    counts = Table.grid(padding=(0, 2, 0, 0))
    counts.add_column(style=parts.HEADING, no_wrap=True, min_width=_LABEL_WIDTH)
    counts.add_column(justify="right", no_wrap=True)
    counts.add_column(style=parts.QUIET)
    if tasks is not None:
        counts.add_row(
            "Tasks", parts.strong(figures.count(tasks)), parts.listed(("cut off", cut_off_tasks))
        )
    counts.add_row("Calls", parts.strong(figures.count(totals.calls)))
    counts.add_row("  visible", figures.count(totals.visible_calls))
    counts.add_row("  hidden", figures.count(totals.hidden_calls), _hidden_share(totals))
    for row in _token_rows(totals):
        counts.add_row(*row)
    # Ranges are wider than counts, so they are columns of their own.
    estimates = Table.grid(padding=(0, 2, 0, 0))
    estimates.add_column(style=parts.HEADING, no_wrap=True, min_width=_LABEL_WIDTH)
    estimates.add_column(style=parts.STRONG, no_wrap=True)
    estimates.add_column(style=parts.QUIET)
    without = f", {parts.calls(totals.unpriced_calls)} not in full" if totals.unpriced_calls else ""
    energy = parts.interval(totals.energy_wh, figures.ENERGY)
    carbon = parts.interval(totals.carbon_g, figures.MASS, of=" CO2e")
    about = totals.estimated_calls
    estimates.add_row("Energy", parts.marked(energy, about), f"{method.boundary}{without}")
    water = parts.interval(totals.water_l, figures.VOLUME)
    estimates.add_row("Carbon", parts.marked(carbon, about), _where(method.places))
    estimates.add_row("Water", parts.marked(water, about), "site and grid")
    return Group(counts, estimates)


def _hidden_share(totals: Totals) -> str:
    whole = totals.energy_wh.central if totals.energy_wh else None
    shares = {
        "calls": figures.share(totals.hidden_calls, totals.calls),
        "tokens": figures.share(totals.hidden_tokens, totals.tokens.total),
        "energy": figures.share(totals.hidden_energy_wh, whole),
    }
    return ", ".join(f"{part} of {what}" for what, part in shares.items() if part != figures.DASH)


def _token_rows(totals: Totals) -> Iterator[tuple[Text | str, ...]]:
    tokens, silent, about = totals.tokens, totals.unreported_calls, totals.estimated_calls
    yield "Tokens", parts.strong(parts.about(tokens.total, about))
    yield "  input", parts.about(tokens.input, about), _silent(tokens.input, silent.input)
    yield "    uncached", parts.about(tokens.input_uncached, about)
    yield (
        "    cache read",
        parts.count(tokens.cache_read),
        _silent(tokens.cache_read, silent.cache_read),
    )
    yield (
        "    cache write",
        parts.count(tokens.cache_write),
        _silent(tokens.cache_write, silent.cache_write),
    )
    yield "  output", parts.about(tokens.output, about), _silent(tokens.output, silent.output)
    yield "    visible", parts.about(tokens.output_visible, about)
    yield (
        "    reasoning",
        parts.count(tokens.reasoning),
        _silent(tokens.reasoning, silent.reasoning),
    )


def _silent(value: int | None, calls: int) -> str:
    """Say how many calls are missing from a sum; where all are, the sum says so itself."""
    if value is None:
        return "not reported"
    return f"not reported by {parts.calls(calls)}" if calls else ""


def basis(
    coverage: Coverage, totals: Totals, method: Method, unseen: Sequence[Unseen] = ()
) -> RenderableType:
    """Show what the figures rest on, and what the logs that they are from cannot know."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.QUIET, no_wrap=True)
    grid.add_column(style=parts.QUIET)
    for row in (*_coverage(coverage, totals.calls), *_unseen(unseen), *_method(method)):
        grid.add_row(*row)
    return grid


def _coverage(coverage: Coverage, calls: int) -> Iterator[tuple[str, str]]:
    missing = f" ({coverage.missing_failed_calls:,} of them failed)"
    yield (
        "Usage",
        f"of {parts.calls(calls)}: "
        + parts.listed(
            ("reported", coverage.reported_calls),
            ("partial", coverage.partial_calls),
            (f"estimated ({parts.ESTIMATED})", coverage.estimated_calls),
            ("missing", coverage.missing_calls),
        )
        + (missing if coverage.missing_failed_calls else ""),
    )
    ends = parts.listed(
        ("failed", coverage.failed_calls),
        ("retried", coverage.retried_calls),
        ("incomplete", coverage.incomplete_calls),
        ("abandoned", coverage.abandoned_calls),
        ("interrupted", coverage.interrupted_calls),
    )
    yield (
        "Seen",
        "; ".join(
            part for part in (parts.listed(*coverage.calls_by_capture.items()), ends) if part
        ),
    )
    yield (
        "Records",
        f"{coverage.quarantined_records:,} quarantined{_why(coverage.quarantined_by_reason)}, "
        f"{coverage.lost_records:,} known to be lost{_why(coverage.lost_by_reason)}",
    )


def _unseen(unseen: Sequence[Unseen]) -> Iterator[tuple[str, str]]:
    for one in unseen:
        way = f". To have it: {one.way}" if one.way else ""
        yield "Unseen", f"{one.title} ({parts.calls(one.log_calls)} of its log): {one.lacks}{way}"


def _why(records: Mapping[str, int]) -> str:
    reasons = parts.listed(*((printable(reason), number) for reason, number in records.items()))
    return f" ({reasons})" if reasons else ""


def _method(method: Method) -> Iterator[tuple[str, str]]:
    yield "Method", f"each call by its tokens and its model, then added; boundary {method.boundary}"
    ends = (f"{100 * method.low_quantile:g} %", "central", f"{100 * method.high_quantile:g} %")
    yield (
        "Factors",
        f"{method.factor_set}; ranges are {figures.dashed(ends)} of {method.draws:,} draws",
    )
    if method.measured_share:
        yield "Measured", f"{figures.share(method.measured_share, 1)} of the energy"
    yield from zip_longest(("Places",), map(_place, method.places), fillvalue="")
    titles = dict.fromkeys(title for place in method.places for title in place.title.split("; "))
    yield "", f"{printable('; '.join(titles))} (agenttrace query place)"
    works = dict.fromkeys(f"{source.authors} {source.year}" for source in method.sources)
    yield "Sources", f"{'; '.join(works)} (agenttrace query factor_source)"


def _where(places: Sequence[Place]) -> str:
    """Say in a few words where the energy was used, and how well the grid is known there."""
    known = [place for place in places if place.energy_share]
    named = (
        f"{_grid(place)}" + (f" {figures.share(place.energy_share, 1)}" if len(known) > 1 else "")
        for place in known[:_PLACES_NAMED]
    )
    more = len(known) - _PLACES_NAMED
    return ", ".join([*named, *([f"{more:,} more"] if more > 0 else [])])


def _grid(place: Place) -> str:
    return "world average" if place.resolution == "world" else f"{place.zone} {place.resolution}"


def _place(place: Place) -> str:
    share = f"{figures.share(place.energy_share, 1)} in " if place.energy_share is not None else ""
    intensity = parts.one_or_all(place.g_per_kwh)
    water = parts.one_or_all(place.l_per_kwh)
    return f"{share}{printable(_grid(place))}: {intensity} g CO2e/kWh, {water} l/kWh"
