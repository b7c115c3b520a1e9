"""The report on parity: measurement and estimate side by side, then the windows."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.parity import MeasuredFile, ModelParity, Parity, ParityReport
from agenttrace.report.rows import printable
from agenttrace.report.text import parts

# Lines of at most 80 columns, so that a command to copy is not broken.
_NOTHING_YET: Final = """\
Nothing is measured yet, so every energy here is an estimate.

For models that are served on machines of yours, a meter beats the estimate:

    agenttrace measure run -- vllm serve MODEL   meters it while it runs
    agenttrace measure import emissions.csv      reads what a meter wrote

The meter is Zeus or CodeCarbon; files of DCGM and nvidia-smi are read as well.
A provider's API cannot be measured from outside."""

_NO_CALLS: Final = """\
No recorded call ran in any of these windows, on their machine and with their
model. Does the server's address in the calls belong to the machine of the
windows? Calls say:

    agenttrace query "SELECT DISTINCT host, server_address, response_model
        FROM span WHERE kind = 'inference'"

Import with --host NAME or --model NAME where that says more."""

_RANGES: Final = (
    "Energy in {unit}. Low, central and high are the estimate; the ratio is measured / estimate."
)
_SHARES: Final = (
    "A window's joules are shared by tokens, weighted as in the estimate, over the calls that ran "
    "meanwhile{models}. The meter's own error is not in the ranges."
)
_SEVERAL: Final = ", so models of which calls ran in the same windows have the same ratio there"
_WHOLE: Final = 0.9995  # what is shown as 100 %


def blocks(report: ParityReport) -> Iterator[RenderableType]:
    """Yield measurement beside estimate for each boundary, and the files of windows."""
    first = min((one.first_at for one in report.files), default=None)
    last = max((one.last_at for one in report.files), default=None)
    period = parts.period(first, last)
    yield Text.assemble(("agenttrace report parity", parts.STRONG), (f"  {period}", parts.QUIET))
    if not report.files and not report.models:
        yield Text(_NOTHING_YET)
    elif report.models:
        yield _measured(report)
        for (_, lines), total in zip(
            groupby(report.models, lambda line: line.parity.boundary), report.totals, strict=True
        ):
            yield _boundary(list(lines), total)
    else:
        yield Text(_NO_CALLS)
    if report.files:
        yield _files(report.files)
    yield from parts.cautions(report.warnings)


def _measured(report: ParityReport) -> RenderableType:
    partly = sum(total.partly_calls for total in report.totals)
    unpriced = sum(total.unpriced_calls for total in report.totals)
    said = parts.listed(
        ("in part", partly), ("not compared, for their usage lacks a side", unpriced)
    )
    return Text.assemble(
        ("Measured  ", parts.HEADING),
        (f"{report.measured_calls:,} of {parts.calls(report.calls)}", parts.STRONG),
        (f"  {said}".rstrip(), parts.QUIET),
    )


def _boundary(lines: Sequence[ModelParity], total: Parity) -> RenderableType:
    estimates = [line.parity.estimate_wh for line in lines]
    unit = parts.unit_of(
        [total.compared_wh, *(one.central for one in estimates if one is not None)]
    )
    is_whole = all(line.parity.covered >= _WHOLE for line in lines)
    rows = [_row(_label(line), line.parity, unit, is_whole=is_whole) for line in lines]
    if len(lines) > 1:
        rows.append(_row(Text("all", style=parts.STRONG), total, unit, is_whole=is_whole))
    covered = () if is_whole else ("covered",)
    titles = ("calls", *covered, "measured", "low", "central", "high", "ratio", "")
    shares = _SHARES.format(models=_SEVERAL if len(lines) > 1 else "")
    caption = f"{_RANGES.format(unit=unit.symbol)} {shares}"
    return parts.captioned(parts.table((total.boundary.capitalize(), *titles), rows), caption)


def _label(line: ModelParity) -> Text:
    return Text(printable(line.model or "not named"), style="" if line.known else parts.WARNING)


def _row(label: Text, one: Parity, unit: figures.Unit, *, is_whole: bool) -> tuple[Text | str, ...]:
    return (
        label,
        figures.count(one.calls),
        *(() if is_whole else (figures.share(one.covered, 1),)),
        parts.energy(one.compared_wh, unit),
        *parts.numbers(one.estimate_wh, unit),
        _times(one.ratio),
        _inside(one),
    )


def _times(ratio: Range | None) -> str:
    if ratio is None:
        return parts.UNKNOWN
    bounds = (ratio.low, ratio.central, ratio.high)
    return f"{figures.DASH.join(map(figures.significant, bounds))}x"


def _inside(one: Parity) -> Text:
    if one.is_inside is None:
        return Text("")
    return Text("inside") if one.is_inside else Text("outside", style=parts.WARNING)


def _files(files: Sequence[MeasuredFile]) -> RenderableType:
    unit = parts.unit_of(one.measured_wh for one in files)
    rows = [
        (
            Text(f"{printable(one.source)} ").append(
                printable(f"{one.meter}{f' on {one.hosts}' if one.hosts else ''}"), parts.QUIET
            ),
            figures.count(one.windows),
            figures.duration(one.seconds * 1000),
            figures.share(one.busy_share, 1),
            parts.energy(one.measured_wh, unit),
            parts.energy(one.idle_wh, unit),
            one.boundary if one.mark == "measured" else f"{one.boundary}, in part modelled",
        )
        for one in files
    ]
    titles = ("Windows from", "windows", "time", "busy", unit.symbol, "idle", "boundary")
    table = parts.table(titles, rows)
    table.columns[-1].justify = "left"
    return parts.captioned(
        table, "Idle is what windows hold in which no call ran; no call gets it."
    )
