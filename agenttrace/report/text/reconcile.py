"""What sources say of sessions, one small table for each."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from agenttrace.report import figures
from agenttrace.report.reconcile.values import Kinds, ReconcileReport, SessionLine
from agenttrace.report.rows import printable
from agenttrace.report.text import parts

_OWN = {"result": "its result", "otlp": "its metrics", "log": "its log"}
_NOTHING = (
    "Nothing to reconcile: of no session does more than one source say something{once}.\n"
    "`agenttrace import` reads logs, `agenttrace serve` receives telemetry, and "
    "`agenttrace run` has an agent's own total."
)


def blocks(report: ReconcileReport) -> Iterator[RenderableType]:
    """Yield what sources say of each session."""
    chosen = "" if report.selection == parts.EVERYTHING else f"  {printable(report.selection)}"
    yield Text.assemble(("agenttrace report reconcile", parts.STRONG), (chosen, parts.QUIET))
    if not report.lines and not report.sessions:
        once = f"\n({figures.counted(report.told_once, 'session')} told of once)"
        yield Text(_NOTHING.format(once=once if report.told_once else ""))
    else:
        yield _headline(report)
    yield from map(_session, report.lines)
    yield from parts.cautions(report.warnings)


def _headline(report: ReconcileReport) -> Text:
    text = Text.assemble(
        (figures.counted(report.sessions, "session"), parts.STRONG),
        (f", {report.differing:,} of them with differences", parts.WARNING)
        if report.differing
        else (", no differences", parts.QUIET),
    )
    more = report.sessions - len(report.lines)
    if more:
        text.append(f"; {more:,} more with --limit", parts.QUIET)
    if report.told_once:
        told = f"; {figures.counted(report.told_once, 'other')} told of by one source alone"
        text.append(told, parts.QUIET)
    return text


def _session(line: SessionLine) -> RenderableType:
    said = (("log", line.log), ("telemetry", line.telemetry), ("meter", line.meter))
    rows: list[tuple[Text | str, ...]] = [
        _row(name, one.calls, one.tokens) for name, one in said if one is not None
    ]
    if line.own is not None:
        rows.append(_row(_OWN[line.own.teller], None, line.own.tokens))
    rows.append(_row("counted", line.counted.calls, line.counted.tokens))
    if line.unexplained is not None:
        style = "" if line.unexplained.is_nothing else parts.WARNING
        rows.append(_row("unexplained", None, line.unexplained, style))
    titles = ("", "calls", "input", "cache read", "cache write", "output")
    about = [printable(line.session_id)]
    about += [printable(one) for one in (line.service_name, _day(line.started_at)) if one]
    heading = Text(about[0], parts.HEADING).append("  " + "  ".join(about[1:]), parts.QUIET)
    return Group(heading, parts.captioned(parts.table(titles, rows), _roles(line)))


def _day(moment: str | None) -> str | None:
    return None if moment is None else moment[:10]


def _row(name: str, calls: int | None, tokens: Kinds, style: str = "") -> tuple[Text | str, ...]:
    numbers = (tokens.input, tokens.cache_read, tokens.cache_write, tokens.output)
    return (
        Text(name, style),
        figures.DASH if calls is None else figures.count(calls),
        *map(parts.count, numbers),
    )


def _roles(line: SessionLine) -> str:
    said = [
        f"{printable(one.role)} {parts.calls(one.calls)} {parts.count(one.tokens.sides)} tokens"
        for one in line.roles
    ]
    return f"counted by role: {', '.join(said)}" if said else "no call counts"
