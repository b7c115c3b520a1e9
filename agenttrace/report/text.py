"""The report on a terminal: totals first, then what they are made of, then what they rest on."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.rows import printable
from agenttrace.report.tree import Branch, branches
from agenttrace.report.values import (
    AgentLine,
    Coverage,
    Equivalent,
    Grid,
    Method,
    ModelLine,
    ModelsReport,
    ModelUse,
    Node,
    Overview,
    Percentiles,
    Report,
    RoleLine,
    TaskLine,
    TaskReport,
    Totals,
)

_HEADING: Final = "bold cyan"
_STRONG: Final = "bold"
_QUIET: Final = "dim"
_VISIBLE_STYLE: Final = "bold green"
_WARNING: Final = "yellow"
_FAILED: Final = "red"

_ESTIMATED: Final = "~"
_UNKNOWN: Final = "?"
_VISIBLE: Final = "●"
_HIDDEN: Final = "○"

_Number = TypeVar("_Number", int, float)

_ONE: Final = figures.Unit("", 1.0)
_LABEL_WIDTH: Final = 15
_HEX_ID_LENGTH: Final = 32
_SHORT_ID_LENGTH: Final = 12
_GAP: Final = 2
_LABEL_WIDTH_AT_MOST: Final = 36  # of a model; a longer name gives way to figures
_AGENTS_SHOWN: Final = 20


def to_text(report: Report, console: Console) -> str:
    """Return *report* as *console* would show it: its width, and its colours where it has some."""
    with console.capture() as captured:
        for place, block in enumerate(blocks(report)):
            if place > 0:
                console.print()
            console.print(block)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def blocks(report: Report) -> Iterator[RenderableType]:
    """Yield what *report* says, the most important first; an empty line goes between two."""
    yield _title(report)
    tasks = report.tasks if isinstance(report, Overview) else None
    if report.totals.calls:
        yield _totals(report.totals, report.method, tasks, report.coverage.cut_off_tasks)
    else:
        yield _no_calls(tasks, report.coverage.cut_off_tasks)
    if isinstance(report, TaskReport):
        yield _inside(report)
    elif report.totals.calls:
        yield from _parts(report)
    if report.totals.calls:
        yield _basis(report.coverage, report.totals, report.method)
    if report.warnings:
        yield _warnings(report.warnings)


def _parts(report: Overview | ModelsReport) -> Iterator[RenderableType]:
    if isinstance(report, ModelsReport):
        yield _model_uses(report.models)
        return
    yield _equivalents(report.equivalents)
    yield _roles(report.roles)
    yield _models(report.models)
    if report.top_tasks:
        yield _tasks(report.top_tasks, report.tasks)


def _inside(report: TaskReport) -> RenderableType:
    """Show what the task is made of, as far as it is still there."""
    if not report.pruned_before:
        return _tree(report.nodes) if report.nodes else _agents(report.agents, report.spans)
    gone = Text(f"Its spans from before {report.pruned_before} (UTC) were pruned.", style=_QUIET)
    if report.nodes:
        return Group(_tree(report.nodes), gone)
    gone.append(f" {report.spans:,} spans, of which the sums are kept.")
    return Group(_agent_table(report.agents), gone) if report.agents else gone


def _no_calls(tasks: int | None, cut_off_tasks: int) -> RenderableType:
    """Say that there are none: of no calls, every sum is zero and nothing is unreported."""
    text = Text("Calls  0", style=_STRONG)
    if tasks is not None:
        cut_off = f"  {_listed(('cut off', cut_off_tasks))}".rstrip()
        text = Text.assemble((f"Tasks  {tasks:,}", _STRONG), (f"{cut_off}\n", _QUIET)) + text
    return text.append(
        "\n\nNo model call was recorded. Is agenttrace.configure() called in the process that makes"
        " them?",
        style="not bold",
    )


def _title(report: Report) -> Text:
    if not isinstance(report, TaskReport):
        period = _period(report.first_started_at, report.last_started_at)
        name = "agenttrace report" if isinstance(report, Overview) else "agenttrace report models"
        return Text.assemble((name, _STRONG), ("  " + period, _QUIET))
    name = printable(report.name) if report.name else "(no task)"
    details = [f"started {_minute(report.started_at)} UTC"]
    if report.duration_ms is not None:
        took = "cut off after at least" if report.is_cut_off else "took"
        details.append(f"{took} {figures.duration(report.duration_ms)}")
    if report.session_id is not None:
        details.append(f"session {printable(report.session_id)}")
    return Text.assemble(
        (name, _STRONG), (f"\ntask {printable(report.task_id)}\n{', '.join(details)}", _QUIET)
    )


def _totals(
    totals: Totals, method: Method, tasks: int | None, cut_off_tasks: int
) -> RenderableType:
    counts = Table.grid(padding=(0, 2, 0, 0))
    counts.add_column(style=_HEADING, no_wrap=True, min_width=_LABEL_WIDTH)
    counts.add_column(justify="right", no_wrap=True)
    counts.add_column(style=_QUIET)
    if tasks is not None:
        counts.add_row("Tasks", _strong(figures.count(tasks)), _listed(("cut off", cut_off_tasks)))
    counts.add_row("Calls", _strong(figures.count(totals.calls)))
    counts.add_row("  visible", figures.count(totals.visible_calls))
    counts.add_row("  hidden", figures.count(totals.hidden_calls), _hidden_share(totals))
    for row in _token_rows(totals):
        counts.add_row(*row)
    # Ranges are wider than counts, so they are columns of their own.
    estimates = Table.grid(padding=(0, 2, 0, 0))
    estimates.add_column(style=_HEADING, no_wrap=True, min_width=_LABEL_WIDTH)
    estimates.add_column(style=_STRONG, no_wrap=True)
    estimates.add_column(style=_QUIET)
    without = f", {_calls(totals.unpriced_calls)} not in full" if totals.unpriced_calls else ""
    energy = _interval(totals.energy_wh, figures.ENERGY)
    carbon = _interval(totals.carbon_g, figures.MASS, of=" CO2e")
    about = totals.estimated_calls
    estimates.add_row("Energy", _marked(energy, about), f"{method.boundary}{without}")
    estimates.add_row("Carbon", _marked(carbon, about), _grid(method.grid))
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
    yield "Tokens", _strong(_about(tokens.total, about))
    yield "  input", _about(tokens.input, about), _silent(tokens.input, silent.input)
    yield "    uncached", _about(tokens.input_uncached, about)
    yield "    cache read", _count(tokens.cache_read), _silent(tokens.cache_read, silent.cache_read)
    yield (
        "    cache write",
        _count(tokens.cache_write),
        _silent(tokens.cache_write, silent.cache_write),
    )
    yield "  output", _about(tokens.output, about), _silent(tokens.output, silent.output)
    yield "    visible", _about(tokens.output_visible, about)
    yield "    reasoning", _count(tokens.reasoning), _silent(tokens.reasoning, silent.reasoning)


def _silent(value: int | None, calls: int) -> str:
    """Say how many calls are missing from a sum; where all are, the sum says so itself."""
    if value is None:
        return "not reported"
    return f"not reported by {_calls(calls)}" if calls else ""


def _equivalents(lines: Sequence[Equivalent]) -> RenderableType:
    days = max((line.days for line in lines), default=1.0)
    period = "a day" if days <= 1 else f"{days:.1f} days"
    table = _table(
        (f"Active users over {period}", "low", "central", "high", "by tokens"),
        [
            (
                _persona(line),
                *_numbers(line.users),
                _UNKNOWN
                if line.users_by_tokens is None
                else figures.significant(line.users_by_tokens),
            )
            for line in lines
        ],
        cut=False,
    )
    prompts = dict.fromkeys(
        f"{line.input_tokens:,} + {line.output_tokens:,} tokens, class {line.model_class}"
        for line in lines
    )
    sources = dict.fromkeys(printable(line.title) for line in lines if line.url is not None)
    return _captioned(table, f"One prompt: {'; '.join(prompts)}. Source: {'; '.join(sources)}")


def _persona(line: Equivalent) -> Text:
    text = Text(f"{printable(line.name)}, {line.prompts_per_day:,g} prompts/day")
    return text.append(" (assumed)", _QUIET) if line.url is None else text


def _roles(lines: Sequence[RoleLine]) -> RenderableType:
    unit = _unit(line.energy_wh for line in lines)
    return _table(
        ("Role", "calls", "hidden", "tokens", unit.symbol, "share"),
        [
            (
                _words(line.role),
                figures.count(line.calls),
                figures.count(line.hidden_calls),
                _about(line.tokens, line.estimated_calls),
                _marked(_energy(line.energy_wh, unit), line.estimated_calls),
                figures.share(line.energy_share, 1),
            )
            for line in lines
        ],
    )


def _models(lines: Sequence[ModelLine]) -> RenderableType:
    unit = _unit(line.energy_wh and line.energy_wh.central for line in lines)
    table = _table(
        ("Model", "calls", "tokens", f"{unit.symbol} low", "central", "high", "class"),
        [
            (
                _words(line.model or "not named"),
                figures.count(line.calls),
                _about(line.tokens, line.estimated_calls),
                *_about_numbers(line, unit),
                Text(line.model_class, style="" if line.known else _WARNING),
            )
            for line in lines
        ],
    )
    table.columns[-1].justify = "left"
    return table


def _tasks(lines: Sequence[TaskLine], tasks: int) -> RenderableType:
    unit = _unit(line.energy_wh and line.energy_wh.central for line in lines)
    return _table(
        (
            "Task" if len(lines) == tasks else "Largest tasks",
            "calls",
            "hidden",
            "tokens",
            f"{unit.symbol} low",
            "central",
            "high",
        ),
        [
            (
                _task_label(line),
                figures.count(line.calls),
                figures.count(line.hidden_calls),
                _about(line.tokens, line.estimated_calls),
                *_about_numbers(line, unit),
            )
            for line in lines
        ],
    )


def _task_label(line: TaskLine) -> Text:
    label = Text(_short(line.task_id))
    if line.is_cut_off:
        label.append(" cut off", _WARNING)
    return label.append(f" {printable(line.name or '')}", _QUIET)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns that stand together: their titles, and a cell for each in each row."""

    titles: tuple[str, ...]
    rows: tuple[tuple[Text | str, ...], ...]

    @property
    def width(self) -> int:
        """Characters that they take, with the gaps before them."""
        columns = zip(self.titles, *self.rows, strict=True)
        return sum(_GAP + max(cell_len(str(cell)) for cell in column) for column in columns)

    def beside(self, other: "_Columns") -> "_Columns":
        """Return these and others as one group."""
        rows = zip(self.rows, other.rows, strict=True)
        return _Columns(self.titles + other.titles, tuple(one + two for one, two in rows))


@dataclass(frozen=True, slots=True)
class _Packed:
    """One table where the width allows it, else some of its columns in each of several."""

    title: str
    labels: tuple[Text, ...]
    groups: tuple[_Columns, ...]

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        longest = max(label.cell_len for label in self.labels)
        space = options.max_width - min(longest, _LABEL_WIDTH_AT_MOST)
        packed = [self.groups[0]]
        for group in self.groups[1:]:
            if packed[-1].width + group.width <= space:
                packed[-1] = packed[-1].beside(group)
            else:
                packed.append(group)
        for place, group in enumerate(packed):
            if place > 0:
                yield Text()
            rows = [
                (label.copy(), *row) for label, row in zip(self.labels, group.rows, strict=True)
            ]
            yield _table((self.title, *group.titles), rows)


def _model_uses(lines: Sequence[ModelUse]) -> RenderableType:
    return _Packed(
        "Model", tuple(map(_model_label, lines)), (_moved(lines), _used(lines), _took(lines))
    )


def _model_label(line: ModelUse) -> Text:
    label = Text(printable(line.model or "not named"))
    return label.append(f" {printable(line.provider or '')}".rstrip(), _QUIET)


def _moved(lines: Sequence[ModelUse]) -> _Columns:
    rows = [
        (
            figures.count(line.calls),
            figures.share(line.hidden_calls, line.calls),
            _about(line.tokens.input, line.estimated_calls),
            figures.share(line.cached_share, 1),
            _about(line.tokens.output, line.estimated_calls),
        )
        for line in lines
    ]
    return _Columns(("calls", "hidden", "input", "cached", "output"), tuple(rows))


def _used(lines: Sequence[ModelUse]) -> _Columns:
    unit = _unit(line.energy_wh and line.energy_wh.central for line in lines)
    rows = [
        (
            *_about_numbers(line, unit),
            figures.share(line.energy_share, 1),
            figures.count(line.unpriced_calls) if line.unpriced_calls else "",
            Text(line.model_class, style="" if line.known else _WARNING),
        )
        for line in lines
    ]
    titles = (f"{unit.symbol} low", "central", "high", "share", "not in full", "class")
    return _Columns(titles, tuple(rows))


def _took(lines: Sequence[ModelUse]) -> _Columns:
    rows = [
        (*_half_and_tail(line.duration_ms), *_half_and_tail(line.time_to_first_token_ms))
        for line in lines
    ]
    return _Columns(("time p50", "p95", "1st token p50", "p95"), tuple(rows))


def _half_and_tail(value: Percentiles | None) -> tuple[str, str]:
    if value is None:
        return "", ""
    return figures.duration(value.p50), figures.duration(value.p95)


def _agents(lines: Sequence[AgentLine], spans: int) -> RenderableType:
    """Show what is left of a tree that is too large."""
    return _captioned(
        _agent_table(lines),
        f"{spans:,} spans, summed up. --full shows each; `agenttrace query` answers SQL.",
    )


def _agent_table(lines: Sequence[AgentLine]) -> Table:
    """Show who called what, and how often."""
    unit = _unit(line.energy_wh for line in lines)
    agents = [
        list(group) for _, group in itertools.groupby(lines, lambda one: (one.depth, one.agent))
    ]
    rows: list[tuple[Text | str, ...]] = []
    for group in agents[:_AGENTS_SHOWN]:
        rows.append((_agent_label(group[0]), *_agent_sums(group, unit)))
        for line in group:
            guide = "└─ " if line is group[-1] else "├─ "
            label = Text(guide, style=_QUIET).append(_call_label(line))
            rows.append((label, *_agent_sums([line], unit)))
    rest = [line for group in agents[_AGENTS_SHOWN:] for line in group]
    if rest:
        label = Text(f"… {len(agents) - _AGENTS_SHOWN:,} more agents", style=_QUIET)
        rows.append((label, *_agent_sums(rest, unit)))
    return _table(("Agents", "calls", "hidden", "input", "output", unit.symbol), rows)


def _agent_label(line: AgentLine) -> Text:
    if line.agent is None:
        return Text("(no agent)", style=_QUIET)
    label = Text.assemble(("agent", _HEADING), " ", printable(line.agent))
    return label.append(f" depth {line.depth}", _QUIET) if line.depth > 1 else label


def _call_label(line: AgentLine) -> Text:
    # The role first: the end of what is long gives way.
    return Text(printable(line.role)).append(f" {printable(line.model or 'not named')}", _QUIET)


def _agent_sums(lines: Sequence[AgentLine], unit: figures.Unit) -> tuple[str, ...]:
    estimated = sum(line.estimated_calls for line in lines)
    return (
        figures.count(sum(line.calls for line in lines)),
        figures.count(sum(line.hidden_calls for line in lines)),
        _about(_sum(line.input_tokens for line in lines), estimated),
        _about(_sum(line.output_tokens for line in lines), estimated),
        _marked(_energy(_sum(line.energy_wh for line in lines), unit), estimated),
    )


def _tree(nodes: Sequence[Node]) -> RenderableType:
    unit = _unit(node.energy_wh for node in nodes)
    table = _table(
        ("Tree", "input", "output", unit.symbol, "time", "1st token"),
        [_branch(branch, unit) for branch in branches(nodes)],
    )
    return _captioned(
        table,
        f"{_VISIBLE} read by a person  {_HIDDEN} hidden  "
        f"{_ESTIMATED} estimated tokens  {_UNKNOWN} not reported",
    )


def _branch(branch: Branch, unit: figures.Unit) -> tuple[Text | str, ...]:
    nodes = branch.nodes
    node, *rest = nodes
    guide = Text(branch.guide, style=_QUIET)
    calls = sum(node.calls for node in nodes)
    estimated = sum(node.estimated_calls for node in nodes)
    sums = (
        _about(_sum(node.input_tokens for node in nodes), estimated),
        _about(_sum(node.output_tokens for node in nodes), estimated),
        _marked(_energy(_sum(node.energy_wh for node in nodes), unit), estimated),
    )
    shown = sums if calls else ("", "", "")
    if rest:
        return (guide + _rest_label(nodes), *shown, "", "")
    waited = node.call.time_to_first_token_ms if node.call else None
    return (
        guide + _label(node),
        *shown,
        _UNKNOWN if node.duration_ms is None else figures.duration(node.duration_ms),
        "" if waited is None else figures.duration(waited),
    )


def _label(node: Node) -> Text:
    call = node.call
    if call is None:
        label = Text.assemble((node.kind, _HEADING), " ", printable(node.name))
        if node.is_interrupted:
            label.append(" interrupted", _WARNING)
    else:
        label = Text(_HIDDEN) if call.hidden else Text(_VISIBLE, style=_VISIBLE_STYLE)
        label.append(f" {printable(call.model or 'not named')}").append(
            f" {printable(call.role)}", _QUIET
        )
        if call.attempt > 2:  # noqa: PLR2004 - the role says that it is the second
            label.append(f" attempt {call.attempt}", _QUIET)
        if call.outcome not in (None, "complete"):
            label.append(f" {call.outcome}", _WARNING)
    if node.status == "error":
        label.append(f" {printable(node.error_type or 'error')}", _FAILED)
    return label


def _rest_label(nodes: Sequence[Node]) -> Text:
    first = nodes[0]
    call = first.call
    what = f"{call.model or 'not named'} {call.role}" if call else f"{first.kind} {first.name}"
    return Text(f"… {len(nodes):,} more {printable(what)}", style=_QUIET)


def _basis(coverage: Coverage, totals: Totals, method: Method) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=_QUIET, no_wrap=True)
    grid.add_column(style=_QUIET)
    for row in (*_coverage(coverage, totals.calls), *_method(method)):
        grid.add_row(*row)
    return grid


def _coverage(coverage: Coverage, calls: int) -> Iterator[tuple[str, str]]:
    missing = f" ({coverage.missing_failed_calls:,} of them failed)"
    yield (
        "Usage",
        f"of {_calls(calls)}: "
        + _listed(
            ("reported", coverage.reported_calls),
            ("partial", coverage.partial_calls),
            (f"estimated ({_ESTIMATED})", coverage.estimated_calls),
            ("missing", coverage.missing_calls),
        )
        + (missing if coverage.missing_failed_calls else ""),
    )
    ends = _listed(
        ("failed", coverage.failed_calls),
        ("retried", coverage.retried_calls),
        ("incomplete", coverage.incomplete_calls),
        ("abandoned", coverage.abandoned_calls),
        ("interrupted", coverage.interrupted_calls),
    )
    yield (
        "Seen",
        "; ".join(part for part in (_listed(*coverage.calls_by_capture.items()), ends) if part),
    )
    yield (
        "Records",
        f"{coverage.quarantined_records:,} quarantined{_why(coverage.quarantined_by_reason)}, "
        f"{coverage.lost_records:,} known to be lost{_why(coverage.lost_by_reason)}",
    )


def _why(records: Mapping[str, int]) -> str:
    reasons = _listed(*((printable(reason), number) for reason, number in records.items()))
    return f" ({reasons})" if reasons else ""


def _method(method: Method) -> Iterator[tuple[str, str]]:
    grid = method.grid
    yield "Method", f"each call by its tokens and its model, then added; boundary {method.boundary}"
    ends = (f"{100 * method.low_quantile:g} %", "central", f"{100 * method.high_quantile:g} %")
    yield (
        "Factors",
        f"{method.factor_set}; ranges are {figures.dashed(ends)} of {method.draws:,} draws",
    )
    yield (
        "Grid",
        f"{_grid(grid)}, {figures.dashed(_numbers(grid.g_per_kwh))} g CO2e/kWh: "
        f"{printable(grid.title)}",
    )
    works = dict.fromkeys(f"{source.authors} {source.year}" for source in method.sources)
    yield "Sources", f"{'; '.join(works)} (agenttrace query factor_source)"


def _grid(grid: Grid) -> str:
    if grid.resolution == "world":
        return f"world average ({grid.zone})"
    return f"{grid.resolution} average of {grid.zone}"


def _warnings(warnings: Sequence[str]) -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    for warning in warnings:
        grid.add_row(Text("!", style=_WARNING), Text(printable(warning), style=_WARNING))
    return grid


def _table(
    titles: Sequence[str], rows: Sequence[Sequence[Text | str]], *, cut: bool = True
) -> Table:
    """Return a table whose first column gives way when the width is short: is cut, or wraps."""
    first, *others = titles
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="none")
    table.add_column(_cut(Text(first, style=_HEADING)))
    for place, title in enumerate(others, start=1):
        width = max(cell_len(str(cell)) for cell in [title, *(row[place] for row in rows)])
        heading = Text(title, style=_QUIET)
        table.add_column(heading, justify="right", no_wrap=True, min_width=width)
    for label, *numbers in rows:
        table.add_row(_cut(label) if cut else label, *numbers)
    return table


def _cut(label: Text | str) -> Text:
    text = Text(label) if isinstance(label, str) else label
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _captioned(table: Table, caption: str) -> RenderableType:
    # A table inside a table is rendered several times over.
    return Group(table, Text(caption, style=_QUIET))


def _unit(values_wh: Iterable[float | None]) -> figures.Unit:
    """Return one unit for a column: that of its largest value."""
    known = [value for value in values_wh if value is not None]
    return figures.unit_of(max(known, default=0), figures.ENERGY)


def _numbers(value: Range | None, unit: figures.Unit = _ONE) -> tuple[str, str, str]:
    return (_UNKNOWN, _UNKNOWN, _UNKNOWN) if value is None else figures.bounds(value, unit)


def _about_numbers(line: ModelLine | ModelUse | TaskLine, unit: figures.Unit) -> Iterator[str]:
    for number in _numbers(line.energy_wh, unit):
        yield _marked(number, line.estimated_calls)


def _interval(value: Range | None, units: tuple[figures.Unit, ...], of: str = "") -> str:
    return figures.UNKNOWN if value is None else figures.interval(value, units) + of


def _energy(value_wh: float | None, unit: figures.Unit) -> str:
    return _UNKNOWN if value_wh is None else figures.significant(value_wh / unit.size)


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], start=known[0]) if known else None


def _about(value: int | None, estimated_calls: int) -> str:
    return _marked(_count(value), estimated_calls)


def _marked(figure: str, estimated_calls: int) -> str:
    """Mark what rests on estimated tokens; what is unknown rests on nothing."""
    known = figure not in (_UNKNOWN, figures.UNKNOWN)
    return _ESTIMATED + figure if estimated_calls and known else figure


def _count(value: int | None) -> str:
    return _UNKNOWN if value is None else figures.count(value)


def _listed(*counts: tuple[str, int]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in counts if number)


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number:,} calls"


def _words(text: str) -> Text:
    return Text(printable(text))


def _strong(text: str) -> Text:
    return Text(text, style=_STRONG)


def _short(task_id: str) -> str:
    """Shorten a random id, as git does; what a user chose stays whole."""
    random = len(task_id) == _HEX_ID_LENGTH and not set(task_id) - set("0123456789abcdef")
    return task_id[:_SHORT_ID_LENGTH] if random else printable(task_id)


def _period(first: str | None, last: str | None) -> str:
    if first is None or last is None:
        return ""
    start, end = _minute(first), _minute(last)
    if start == end:
        return f"{start} UTC"
    same_day = start.partition(" ")[0] == end.partition(" ")[0]
    return f"{start} to {end.partition(' ')[2] if same_day else end} UTC"


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")
