"""The inside of a task: a tree, or its sums."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agenttrace.report import figures
from agenttrace.report.rows import printable
from agenttrace.report.text import parts, sums
from agenttrace.report.tree import Branch, branches
from agenttrace.report.values import (
    AgentLine,
    Node,
    TaskReport,
)

_VISIBLE_STYLE: Final = "bold green"


_FAILED: Final = "red"


_VISIBLE: Final = "●"


_HIDDEN: Final = "○"


_AGENTS_SHOWN: Final = 20


def blocks(report: TaskReport) -> Iterator[RenderableType]:
    """Yield the report on one task."""
    yield _title(report)
    cut_off = report.coverage.cut_off_tasks
    if report.totals.calls:
        yield sums.headline(report.totals, report.method, None, cut_off)
    else:
        yield sums.no_calls(None, cut_off)
    yield _inside(report)
    if report.totals.calls:
        yield sums.basis(report.coverage, report.totals, report.method)
    yield from parts.cautions(report.warnings)


def _title(report: TaskReport) -> Text:
    name = printable(report.name) if report.name else "(no task)"
    details = [f"started {parts.minute(report.started_at)} UTC"]
    if report.duration_ms is not None:
        took = "cut off after at least" if report.is_cut_off else "took"
        details.append(f"{took} {figures.duration(report.duration_ms)}")
    if report.session_id is not None:
        details.append(f"session {printable(report.session_id)}")
    return Text.assemble(
        (name, parts.STRONG),
        (f"\ntask {printable(report.task_id)}\n{', '.join(details)}", parts.QUIET),
    )


def _inside(report: TaskReport) -> RenderableType:
    """Show what the task is made of, as far as it is still there."""
    if not report.pruned_before:
        return _tree(report.nodes) if report.nodes else _agents(report.agents, report.spans)
    gone = Text(
        f"Its spans from before {report.pruned_before} (UTC) were pruned.", style=parts.QUIET
    )
    if report.nodes:
        return Group(_tree(report.nodes), gone)
    gone.append(f" {report.spans:,} spans, of which the sums are kept.")
    return Group(_agent_table(report.agents), gone) if report.agents else gone


def _agents(lines: Sequence[AgentLine], spans: int) -> RenderableType:
    """Show what is left of a tree that is too large."""
    return parts.captioned(
        _agent_table(lines),
        f"{spans:,} spans, summed up. --full shows each; `agenttrace query` answers SQL.",
    )


def _agent_table(lines: Sequence[AgentLine]) -> Table:
    """Show who called what, and how often."""
    unit = parts.unit_of(line.energy_wh for line in lines)
    agents = [
        list(group) for _, group in itertools.groupby(lines, lambda one: (one.depth, one.agent))
    ]
    rows: list[tuple[Text | str, ...]] = []
    for group in agents[:_AGENTS_SHOWN]:
        rows.append((_agent_label(group[0]), *_agent_sums(group, unit)))
        for line in group:
            guide = "└─ " if line is group[-1] else "├─ "
            label = Text(guide, style=parts.QUIET).append(_call_label(line))
            rows.append((label, *_agent_sums([line], unit)))
    rest = [line for group in agents[_AGENTS_SHOWN:] for line in group]
    if rest:
        label = Text(f"… {len(agents) - _AGENTS_SHOWN:,} more agents", style=parts.QUIET)
        rows.append((label, *_agent_sums(rest, unit)))
    return parts.table(("Agents", "calls", "hidden", "input", "output", unit.symbol), rows)


def _agent_label(line: AgentLine) -> Text:
    if line.agent is None:
        return Text("(no agent)", style=parts.QUIET)
    label = Text.assemble(("agent", parts.HEADING), " ", printable(line.agent))
    return label.append(f" depth {line.depth}", parts.QUIET) if line.depth > 1 else label


def _call_label(line: AgentLine) -> Text:
    # The role first: the end of what is long gives way.
    return Text(printable(line.role)).append(
        f" {printable(line.model or 'not named')}", parts.QUIET
    )


def _agent_sums(lines: Sequence[AgentLine], unit: figures.Unit) -> tuple[str, ...]:
    estimated = sum(line.estimated_calls for line in lines)
    return (
        figures.count(sum(line.calls for line in lines)),
        figures.count(sum(line.hidden_calls for line in lines)),
        parts.about(parts.added(line.input_tokens for line in lines), estimated),
        parts.about(parts.added(line.output_tokens for line in lines), estimated),
        parts.marked(parts.energy(parts.added(line.energy_wh for line in lines), unit), estimated),
    )


def _tree(nodes: Sequence[Node]) -> RenderableType:
    unit = parts.unit_of(node.energy_wh for node in nodes)
    table = parts.table(
        ("Tree", "input", "output", unit.symbol, "time", "1st token"),
        [_branch(branch, unit) for branch in branches(nodes)],
    )
    return parts.captioned(
        table,
        f"{_VISIBLE} read by a person  {_HIDDEN} hidden  "
        f"{parts.ESTIMATED} estimated tokens  {parts.UNKNOWN} not reported",
    )


def _branch(branch: Branch, unit: figures.Unit) -> tuple[Text | str, ...]:
    nodes = branch.nodes
    node, *rest = nodes
    guide = Text(branch.guide, style=parts.QUIET)
    calls = sum(node.calls for node in nodes)
    estimated = sum(node.estimated_calls for node in nodes)
    sums = (
        parts.about(parts.added(node.input_tokens for node in nodes), estimated),
        parts.about(parts.added(node.output_tokens for node in nodes), estimated),
        parts.marked(parts.energy(parts.added(node.energy_wh for node in nodes), unit), estimated),
    )
    shown = sums if calls else ("", "", "")
    if rest:
        return (guide + _rest_label(nodes), *shown, "", "")
    waited = node.call.time_to_first_token_ms if node.call else None
    return (
        guide + _label(node),
        *shown,
        parts.UNKNOWN if node.duration_ms is None else figures.duration(node.duration_ms),
        "" if waited is None else figures.duration(waited),
    )


def _label(node: Node) -> Text:
    call = node.call
    if call is None:
        label = Text.assemble((node.kind, parts.HEADING), " ", printable(node.name))
        if node.is_interrupted:
            label.append(" interrupted", parts.WARNING)
    else:
        label = Text(_HIDDEN) if call.hidden else Text(_VISIBLE, style=_VISIBLE_STYLE)
        label.append(f" {printable(call.model or 'not named')}").append(
            f" {printable(call.role)}", parts.QUIET
        )
        if call.attempt > 2:  # noqa: PLR2004 - the role says that it is the second
            label.append(f" attempt {call.attempt}", parts.QUIET)
        if call.measured_share:
            label.append(" measured", parts.QUIET)
        if call.outcome not in (None, "complete"):
            label.append(f" {call.outcome}", parts.WARNING)
    if node.status == "error":
        label.append(f" {printable(node.error_type or 'error')}", _FAILED)
    return label


def _rest_label(nodes: Sequence[Node]) -> Text:
    first = nodes[0]
    call = first.call
    what = f"{call.model or 'not named'} {call.role}" if call else f"{first.kind} {first.name}"
    return Text(f"… {len(nodes):,} more {printable(what)}", style=parts.QUIET)
