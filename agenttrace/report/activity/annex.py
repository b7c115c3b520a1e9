"""The methodology of an export as Markdown, from the factors that its rows were made with."""

import dataclasses
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from agenttrace.report.activity.evidence import (
    cells,
    count,
    ends,
    factors,
    models,
    places,
    share,
    text,
)
from agenttrace.report.activity.values import Activity, Meta
from agenttrace.report.carbon.values import MatchLine
from agenttrace.report.figures import significant
from agenttrace.report.sums import quoted

_FENCE: Final = "```"
_META: Final = f"{_FENCE}json agenttrace-activity"
_LOCATION: Final = "location-based"

_SCI: Final = (
    "SCI per workflow execution = (E*I + M) / R. The formula is that of ISO/IEC 21031:2024. R is "
    "one execution of a task, as the draft of SCI for AI (Green Software Foundation, "
    "<https://github.com/Green-Software-Foundation/sci-ai>, SPEC.md, 8.1) counts agentic AI. It is "
    "the score of a consumer, so training is not in it; of what the draft counts at runtime it has "
    "the model calls only, not orchestration, storage or the user's side. E*I is `carbon_g`, "
    "location-based; M is `embodied_g`; R is `tasks`, which made a model call in the month."
)


def annex(export: Activity, files: Sequence[str] = ()) -> str:
    """Return the methodology of *export* as Markdown.

    Args:
        export: What was exported.
        files: Names of the files that hold the rows, to be named in it.
    """
    parts = (
        _head(export, files),
        _method(export),
        _coverage(export),
        _kinds(),
        _carbon(export),
        _workflows(export),
        models(export.models),
        factors(export.factors),
        places(export.places),
        _warnings(export.warnings),
        _trace(export),
        _hash(export),
        _columns(export),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def meta_of(text: str) -> Meta | None:
    """Return what an annex says for programs; None where it says nothing, or nothing that fits."""
    _, found, rest = text.partition(f"\n{_META}\n")  # a name in a table begins no line
    said = rest.partition(_FENCE)[0]
    try:
        return Meta(**json.loads(said)) if found else None
    except (TypeError, ValueError):
        return None


def _head(export: Activity, files: Sequence[str]) -> Iterator[str]:
    meta, totals = export.meta, export.totals
    yield from (f"# Activity of {meta.period}: how the figures were made", "")
    yield f"- Written by agenttrace {meta.agenttrace} on {meta.exported_at}."
    if files:
        yield f"- Rows: {', '.join(f'`{name}`' for name in files)}."
    yield f"- Calls that started from {export.first_started_at} to {export.last_started_at}."
    for name in ("workload", "project", "task_name", "agent"):
        if value := getattr(meta, name):
            yield f"- Only tasks of {name.replace('_', ' ')} {text(value)}."
    yield f"- Boundary of the energy: {meta.boundary}. Factors: version {meta.factor_version}."
    yield (
        f"- In all: {totals.calls:,} model calls, {count(totals.tokens.total)} tokens, "
        f"{ends(totals.energy_wh, 'Wh')}, {ends(totals.carbon_g, 'g CO2e')} {_LOCATION}, "
        f"{ends(totals.water_l, 'l of water')}."
    )
    yield from (
        "- Low and high are the 5 % and the 95 % of the draws of the factors. Central values and "
        "tokens of rows add up to these; low and high ends do not.",
        "- An empty cell is what is not known. It is not zero.",
        "",
    )


def _method(export: Activity) -> Iterator[str]:
    method = export.method
    yield from (
        "## Energy",
        "",
        "The energy of a call is the sum of five products of its tokens and coefficients of its "
        "model; `agenttrace explain` shows them with their numbers. Every draw prices all calls of "
        "a model with the same factors, because their errors do not average out.",
        "",
        f"- Draws: {method.draws}; low is the {100 * method.low_quantile:.0f} % of them, high the "
        f"{100 * method.high_quantile:.0f} %.",
        f"- Part of the energy that a meter saw: {share(method.measured_share, 'none')}. A meter "
        "sees a call, not its kinds of token: its joules are shared out over them as the estimate "
        "is.",
        "",
    )


def _coverage(export: Activity) -> Iterator[str]:
    cover, totals = export.coverage, export.totals
    yield from (
        "## What was estimated or left out",
        "",
        f"- Usage reported by the provider: {cover.reported_calls:,} calls; in part: "
        f"{cover.partial_calls:,}; tokens estimated by agenttrace: {cover.estimated_calls:,}; not "
        f"known: {cover.missing_calls:,}, of which {cover.missing_failed_calls:,} failed.",
        f"- Calls whose usage lacks a side: {totals.unpriced_calls:,}. What is missing of them is "
        "in no figure; they are counted in the rows of kind `unreported`.",
        f"- Responses that ended early: {cover.incomplete_calls:,} incomplete, "
        f"{cover.abandoned_calls:,} left by the program, {cover.interrupted_calls:,} cut off with "
        "their process.",
        f"- Failed calls: {cover.failed_calls:,}; second and later attempts: "
        f"{cover.retried_calls:,}. Both are in the rows.",
        f"- Records of the whole store that could not be read: {cover.quarantined_records:,}; that "
        f"could not be written, as far as is known: {cover.lost_records:,}.",
        "- Training of models, the programs that call them and the network are not in the energy.",
        "",
    )


def _kinds() -> Iterator[str]:
    yield from (
        "## Calls and kinds of token",
        "",
        "`calls` of a row are those that say their tokens of this kind, so a call is in the row of "
        "each of its kinds: **calls do not add up over kinds**. The table `workflow` has each call "
        "once. `input_uncached` is all input that was not read from a cache, with what was written "
        "to one (`cache_write_tokens`); `output` has the reasoning in it (`reasoning_tokens`). The "
        "energy of a kind is that of its own products: cached context makes output and new input "
        "dearer, and that is in their rows.",
        "",
    )


def _carbon(export: Activity) -> Iterator[str]:
    yield from (
        "## Carbon and water",
        "",
        "Location-based carbon is energy times the average intensity of the grid where and, if "
        "known, when it was used. Market-based carbon shares the certificates of a zone and year "
        "over all the energy that was recorded there in that year; the rest has the residual mix, "
        "or, where none is known, the average of the grid. It is empty where neither a certificate "
        "nor a residual mix is known: nothing is known of the market then.",
        "",
    )
    if export.matching:
        yield from map(_match, export.matching)
    else:
        yield "No certificate and no residual mix of these zones and years is known."
    yield ""


def _match(line: MatchLine) -> str:
    residual = line.residual_source or "not known, so the average of the grid"
    return (
        f"- {line.zone} {line.year}: {significant(line.energy_wh, 6)} Wh recorded, "
        f"{significant(line.bought_wh, 6)} Wh of certificates; residual mix "
        f"{significant(line.residual_g_per_kwh, 4)} g/kWh: {text(residual)}. Certificates match "
        f"{100 * line.annual_match:.1f} % over the year and {100 * line.hourly_match:.1f} % by the "
        "hour."
    )


def _workflows(export: Activity) -> Iterator[str]:
    yield from (
        "## Workflow executions",
        "",
        _SCI,
        "",
        f"M is from {export.embodied_source}. It leaves out {export.embodied_ignores}. It is known "
        "for `embodied_calls` of the calls; the score is too low for the others. Where it is known "
        "for none there is no score. The ends of both ranges are added.",
        "",
        "A task of two months is an execution in each of them, so `tasks` do not add up over "
        "months. A trace outside of any task is an execution of its own.",
        "",
    )


def _warnings(warnings: Sequence[str]) -> Iterator[str]:
    if warnings:
        yield from ("## Before believing a figure", "")
        yield from (f"- {text(one)}" for one in warnings)
        yield ""


def _trace(export: Activity) -> Iterator[str]:
    row_id = export.activity.rows[0][0] if export.activity.rows else "ROW_ID"
    yield from (
        "## From a row to its calls",
        "",
        "The calls of a row have its `row_id` in the query `activity_call`; their tokens and their "
        "energy add up to those of the row:",
        "",
        _FENCE,
        f"agenttrace query {_quoted_twice(calls_of(export.meta, row_id))}{_options(export.meta)}",
        f"agenttrace explain CALL_ID{_options(export.meta)}",
        _FENCE,
        "",
        "The second shows the estimate of one of them with every factor and its source. Calls "
        "whose spans were pruned are in the rows, and not in that list any more.",
        "",
    )


def _options(meta: Meta) -> str:
    """Return the options under which a command prices calls as the export did."""
    region = f" --region {shlex.quote(meta.region)}" if meta.region else ""
    return f" --boundary {meta.boundary} --factors-version {meta.factor_version}{region}"


def calls_of(meta: Meta, row_id: str) -> str:
    """Return SQL for the calls of a row: call_id, tokens and energy_wh."""
    where = {"row_id": row_id, "project": meta.project, "task_name": meta.task_name}
    said = [f"{name} = {quoted(value)}" for name, value in where.items() if value]
    if meta.agent:
        tasks = f"SELECT task_id FROM call_rollup WHERE agent = {quoted(meta.agent)}"  # noqa: S608 - quoted
        said.append(f"task_id IN ({tasks})")
    found = " AND ".join(said)
    return f"SELECT call_id, tokens, energy_wh FROM activity_call WHERE {found}"  # noqa: S608 - likewise


def _quoted_twice(sql: str) -> str:
    """Return *sql* for a shell, in double quotes because it has single ones."""
    return '"' + re.sub(r'(["$`\\])', r"\\\1", sql) + '"'


def _hash(export: Activity) -> Iterator[str]:
    yield from (
        "## Hash",
        "",
        "`agenttrace export check FILE` computes it again. Without agenttrace: write the names of "
        "the columns and each row as a line, fields with a tab between, each line ended by a line "
        "feed, in UTF-8; whole numbers as their digits, others as C's `%.15g` does; what is empty "
        "as `\\N`; in text, backslash, tab, line feed and carriage return as `\\\\`, `\\t`, `\\n` "
        "and `\\r`. Sort the rows, not the names, by their bytes. The SHA-256 of that is the hash. "
        "In CSV, an apostrophe before text that a spreadsheet would take for a formula is not part "
        "of the text.",
        "",
        "| table | rows | SHA-256 |",
        "|---|---|---|",
    )
    for name, digest in export.meta.sha256.items():
        yield cells(name, f"{export.meta.rows[name]:,}", f"`{digest}`")
    yield from ("", _META)
    yield json.dumps(dataclasses.asdict(export.meta), indent=1, ensure_ascii=True)
    yield from (_FENCE, "")


def _columns(export: Activity) -> Iterator[str]:
    for table, columns in export.columns.items():
        yield from (f"## Columns of {table}", "", "| column | meaning |", "|---|---|")
        yield from (cells(f"`{name}`", doc) for name, doc in columns.items())
        yield ""
