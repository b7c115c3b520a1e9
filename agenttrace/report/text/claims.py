"""The report on claims: a line per claim with its verdict, then what the data say of each."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agenttrace.compare import claims
from agenttrace.report.claims.values import ClaimLine, ClaimsReport, Finding, SideLine
from agenttrace.report.rows import printable
from agenttrace.report.text import intensity, parts, sums

_STYLES: Final = {
    claims.SUPPORTED: "bold green",
    claims.NOT_SUPPORTED: "bold red",
    claims.NOT_ENOUGH: parts.WARNING,
}
_INDENT: Final = 2


def blocks(report: ClaimsReport) -> Iterator[RenderableType]:
    """Yield the verdicts, then each claim with what the data say."""
    yield sums.title("agenttrace report claims", report.first_started_at, report.last_started_at)
    which = parts.capital(parts.chosen(report.selection))
    yield Text(
        f"{which}; {parts.calls(report.calls)}; energy at the boundary {report.boundary}. The "
        "claims are an essay's, in other words; the data are yours.",
        style=parts.QUIET,
    )
    yield _sides(report.sides)
    yield _verdicts(report)
    for line in report.claims:
        yield _claim(line)
    yield Text(
        "Supported: the whole range lies within what is claimed. Not supported: the whole range "
        "lies outside. Else there is not enough data. Ranges are 5 % to 95 % of "
        f"{report.method.draws:,} draws of factors {report.method.factor_set}; counts have none.",
        style=parts.QUIET,
    )
    yield from parts.cautions(report.warnings)


def _sides(lines: Sequence[SideLine]) -> RenderableType:
    unit = parts.unit_of(line.energy_wh and line.energy_wh.central for line in lines)
    rows = [
        (
            line.name,
            *map(parts.count, (line.tasks, line.calls, line.hidden_calls, line.tokens)),
            *parts.numbers(line.energy_wh, unit),
        )
        for line in lines
    ]
    titles = ("Calls", "tasks", "calls", "hidden", "tokens", f"{unit.symbol} low", "central")
    return parts.table((*titles, "high"), rows)


def _verdicts(report: ClaimsReport) -> RenderableType:
    grid = Table.grid(padding=(0, parts.GAP, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for line in report.claims:
        beyond = f": {_beyond(line)}" if _beyond(line) else ""
        grid.add_row(_verdict(line.verdict), Text(f"{printable(line.claim)}{beyond}"))
    return grid


def _beyond(line: ClaimLine) -> str:
    """Say which figures are more, or less, than a claim that they do not support."""
    if line.verdict != claims.NOT_SUPPORTED:
        return ""
    sides = dict.fromkeys(one.side for one in line.findings if one.side is not None)
    if len(line.findings) == 1:
        return next(iter(sides), None) or ""
    return "; ".join(
        f"{side} in {' and '.join(one.of for one in line.findings if one.side == side)}"
        for side in sides
    )


def _verdict(verdict: claims.Verdict) -> Text:
    return Text(verdict, style=_STYLES[verdict])


def _claim(line: ClaimLine) -> RenderableType:
    said = [Text.assemble((f"Claim: {printable(line.claim)}", parts.HEADING))]
    inside: list[RenderableType] = [
        *(_finding(line, one) for one in _told_once(line)),
        *(Text(printable(sentence)) for sentence in line.also),
    ]
    if line.persona is not None:
        inside.append(Text(f"Persona: {printable(line.persona)}", style=parts.QUIET))
    if line.intensities:
        inside.append(intensity.table(line.intensities))
    inside.append(_conclusion(line))
    return Group(*said, Padding(Group(*inside), (0, 0, 0, _INDENT)))


def _told_once(line: ClaimLine) -> Iterator[Finding]:
    told: set[str] = set()
    for one in line.findings:
        if one.said not in told:
            told.add(one.said)
            yield one


def _finding(line: ClaimLine, one: Finding) -> Text:
    text = Text(printable(one.said))
    if one.value is None:
        return text
    text.append(f" Claimed: {printable(one.bound)}", parts.QUIET)
    if len(line.findings) > 1:
        text.append(f"; {one.verdict}", parts.QUIET)
    return text.append(".", parts.QUIET)


def _conclusion(line: ClaimLine) -> Text:
    text = _verdict(line.verdict)
    if _beyond(line):
        text.append(f": {printable(_beyond(line))}", "not bold")
    if line.missing is not None:
        text.append(f"; missing: {printable(line.missing)}.", "not bold")
    return text
