"""What the reports have in common: totals, coverage and method, all from what is rolled up."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from agenttrace.errors import QueryError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.values import Coverage, Method, Place, Source, Tokens, Totals, Unreported

Row = dict[str, Any]

SHARED: Final = ("model_moments", "model_draw", "total_draw", "totals", "coverage")
"""Queries that several parts of a report read; each may read those before it."""


_CANDIDATES_NAMED: Final = 3

_MEASURED: Final = """
SELECT
    sum(model_moments.energy_wh) FILTER (WHERE model_moments.basis <> 'estimated')
    / nullif(sum(model_moments.energy_wh), 0) AS share
FROM model_moments
"""

# The energy of a place with hours of its grid and without are two lines.
_PLACES: Final = """
WITH
part AS (
    SELECT
        model_moments.provider,
        model_moments.region,
        unnest([TRUE, FALSE]) AS is_hourly,
        unnest([
            model_moments.energy_wh * model_moments.hourly_share,
            model_moments.energy_wh * (1 - model_moments.hourly_share)
        ]) AS energy_wh,
        model_moments.hourly_g_per_kwh
    FROM model_moments
),

used AS (
    SELECT
        place.zone,
        CASE WHEN part.is_hourly THEN 'hourly' ELSE place.resolution END AS resolution,
        sum(part.energy_wh) AS energy_wh,
        sum(part.energy_wh * part.hourly_g_per_kwh) / nullif(sum(part.energy_wh), 0) AS hourly_g,
        any_value(place) AS place,
        string_agg(DISTINCT place.reason, '; ' ORDER BY place.reason) AS reason
    FROM part
    INNER JOIN place
        ON
            part.provider IS NOT DISTINCT FROM place.provider
            AND part.region IS NOT DISTINCT FROM place.region
    WHERE NOT part.is_hourly OR part.energy_wh > 0
    GROUP BY ALL
)

SELECT
    used.zone,
    used.resolution,
    used.energy_wh / nullif(sum(used.energy_wh) OVER (), 0) AS energy_share,
    used.resolution = 'hourly' AS is_hourly,
    CASE WHEN is_hourly THEN used.hourly_g ELSE used.place.g_per_kwh END AS g_per_kwh,
    CASE WHEN is_hourly THEN used.hourly_g ELSE used.place.g_per_kwh_low END AS g_per_kwh_low,
    CASE WHEN is_hourly THEN used.hourly_g ELSE used.place.g_per_kwh_high END AS g_per_kwh_high,
    used.place.l_per_kwh,
    used.place.l_per_kwh_low,
    used.place.l_per_kwh_high,
    used.reason,
    CASE WHEN is_hourly THEN 'the hours that were imported' ELSE used.place.title END AS title,
    CASE WHEN is_hourly THEN '' ELSE used.place.url END AS url
FROM used
QUALIFY coalesce(used.energy_wh, 0) > 0 OR coalesce(max(used.energy_wh) OVER (), 0) = 0
ORDER BY energy_share DESC NULLS LAST, used.zone, used.resolution
"""

_BEGINNING_WITH: Final = """
SELECT recorded_task.task_id
FROM recorded_task
WHERE starts_with(recorded_task.task_id, $1)
ORDER BY recorded_task.task_id
"""


@contextmanager
def held(reader: Reader, *names: str, **tables: str) -> Generator[None]:
    """Compute queries once and keep their rows while several others read them.

    A temporary table goes before the view of its name, so every query that reads the view reads the
    kept rows.

    Args:
        reader: An open reader.
        names: Of queries, trusted; each may read those before it. One that is held stays as it is.
        tables: SQL, trusted, by the name that its rows are to go under; these come before *names*.
    """
    kept: list[str] = []
    try:
        new = {name: f"FROM {name}" for name in names if not is_held(reader, name)}
        for name, sql in {**tables, **new}.items():
            reader.query(f"CREATE TEMP TABLE {name} AS {sql}")
            kept.append(name)
            reader.held.add(name)
        yield
    finally:
        for name in kept:
            reader.query(f"DROP TABLE temp.{name}")
            reader.held.discard(name)


def is_held(reader: Reader, name: str) -> bool:
    """Whether the rows of a query are kept for others to read."""
    return name in reader.held


@contextmanager
def narrowed(reader: Reader, *task_ids: str) -> Generator[None]:
    """Let queries see some tasks only, one or more: what is rolled up of them.

    Which calls count is decided over everything recorded, before the rest is put out of sight.
    """
    which = f"WHERE task_id IN ({', '.join(map(quoted, task_ids))})"
    # Where no rows are stored, they come from here, and so are worked out once.
    below = () if reader.is_rolled_up else ("counted_call",)
    rolled = (*below, "call_sum", "call_answer", "task_sum", "measured_call", "measured_sum")
    # Rows of these may be stored as well, for everything.
    anew = {name: reader.queries[name].sql for name in ("call_total", "task_total")}
    with (
        held(reader, **{name: f"FROM {name} {which}" for name in rolled}),
        held(reader, "call_rollup"),
        held(reader, **anew),
    ):
        yield


def task_named(reader: Reader, beginning: str) -> str:
    """Return the id of the task that *beginning* begins.

    Raises:
        QueryError: There is none, or more than one.
    """
    if not beginning:
        raise QueryError("say the id of a task, or its beginning. `agenttrace report` lists them.")
    found = [str(row["task_id"]) for row in reader.query(_BEGINNING_WITH, [beginning])]
    listed = "`agenttrace report` lists the largest, `agenttrace query task` all."
    return only_one(found, beginning, "task", listed)


def only_one(found: Sequence[str], beginning: str, thing: str, listed: str) -> str:
    """Return the one id of *found*, which *beginning* begins, or the one that it is in whole.

    Args:
        found: Ids that *beginning* begins, in order.
        beginning: What was asked for.
        thing: What has these ids.
        listed: The sentence that says where to find them.

    Raises:
        QueryError: There is none, or more than one.
    """
    if beginning in found or len(found) == 1:
        return beginning if beginning in found else found[0]
    if not found:
        raise QueryError(f"no {thing} begins with {beginning!r}. {listed}")
    named = ", ".join(found[:_CANDIDATES_NAMED])
    if found[_CANDIDATES_NAMED:]:
        named += f" and {len(found) - _CANDIDATES_NAMED:,} more"
    raise QueryError(
        f"{len(found):,} {thing}s begin with {beginning!r}: {named}. Give more of the id."
    )


def quoted(text: str) -> str:
    """Return *text* as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def totals(reader: Reader) -> Totals:
    """Return the sums over all calls that *reader* shows."""
    (row,) = reader.query("totals")
    found = _counts(reader)
    return Totals(
        calls=row["calls"],
        visible_calls=row["calls"] - row["hidden_calls"],
        hidden_calls=row["hidden_calls"],
        hidden_tokens=row["hidden_tokens"],
        estimated_calls=found.get(("usage", "estimated"), 0),
        tokens=tokens(row),
        unreported_calls=Unreported(
            input=found.get(("unreported", "input_tokens"), 0),
            cache_read=found.get(("unreported", "cache_read_tokens"), 0),
            cache_write=found.get(("unreported", "cache_write_tokens"), 0),
            output=found.get(("unreported", "output_tokens"), 0),
            reasoning=found.get(("unreported", "reasoning_tokens"), 0),
        ),
        unpriced_calls=row["calls_unpriced"],
        energy_wh=energy_wh(row),
        hidden_energy_wh=row["hidden_energy_wh"],
        carbon_g=carbon_g(row),
        water_l=water_l(row),
    )


def coverage(reader: Reader) -> Coverage:
    """Return what the figures of *reader* rest on."""
    found = _counts(reader)
    (row,) = reader.query("totals")
    (failed,) = reader.query(
        "SELECT coalesce(sum(calls), 0)::BIGINT AS calls FROM call_total "
        "WHERE usage = 'missing' AND status = 'error'"
    )
    (cut_off,) = reader.query("SELECT count(*) AS tasks FROM task_fact WHERE is_cut_off")
    return Coverage(
        reported_calls=found.get(("usage", "reported"), 0),
        partial_calls=found.get(("usage", "partial"), 0),
        estimated_calls=found.get(("usage", "estimated"), 0),
        missing_calls=found.get(("usage", "missing"), 0),
        missing_failed_calls=failed["calls"],
        calls_by_capture=_captures(found),
        incomplete_calls=found.get(("outcome", "incomplete"), 0),
        abandoned_calls=found.get(("outcome", "abandoned"), 0),
        interrupted_calls=found.get(("outcome", "interrupted"), 0),
        cut_off_tasks=cut_off["tasks"],
        failed_calls=row["failed_calls"],
        retried_calls=row["retry_calls"],
        quarantined_records=found.get(("record", "quarantined"), 0),
        quarantined_by_reason=_reasons(reader, "SELECT reason, 1 AS records FROM quarantine"),
        lost_records=found.get(("record", "lost"), 0),
        lost_by_reason=_reasons(reader, "SELECT reason, records FROM lost"),
    )


def method(reader: Reader) -> Method:
    """Return how *reader* estimates energy and carbon."""
    (factor_set,) = reader.query("FROM factor_set")
    (measured,) = reader.query(_MEASURED)
    sources = reader.query(
        "SELECT title, authors, year, url, list(DISTINCT id ORDER BY id) AS factors "
        "FROM factor_source GROUP BY title, authors, year, url ORDER BY authors, year, title"
    )
    return Method(
        factor_set=factor_set["version"],
        boundary=factor_set["boundary"],
        draws=factor_set["draws"],
        low_quantile=factor_set["low_quantile"],
        high_quantile=factor_set["high_quantile"],
        places=tuple(map(_place, reader.query(_PLACES))),
        measured_share=measured["share"],
        sources=tuple(
            Source(
                title=source["title"],
                authors=source["authors"],
                year=source["year"],
                url=source["url"],
                factors=tuple(source["factors"]),
            )
            for source in sources
        ),
    )


def warnings(reader: Reader) -> tuple[str, ...]:
    """Return what to know before believing a figure: of the factors, what concerns these calls."""
    rows = reader.query("SELECT DISTINCT provider, model FROM call_total")
    used = {(row["provider"], row["model"]) for row in rows}
    return (*reader.store_warnings, *reader.factors.warnings_of(used))


def tokens(row: Row) -> Tokens:
    """Return the tokens of a row of ``totals`` or of ``model_call``."""
    output, reasoning = row["output_tokens"], row["reasoning_tokens"]
    return Tokens(
        total=row["total_tokens"],
        input=row["input_tokens"],
        input_uncached=row["input_uncached_tokens"],
        cache_read=row["cache_read_tokens"],
        cache_write=row["cache_write_tokens"],
        output=output,
        output_visible=None if output is None else output - (reasoning or 0),
        reasoning=reasoning,
    )


def energy_wh(row: Row) -> Range | None:
    """Return the energy of a row of ``totals``, ``task_energy`` or ``model_energy``."""
    return spread(row["energy_low_wh"], row["energy_wh"], row["energy_high_wh"])


def carbon_g(row: Row) -> Range | None:
    """Return the carbon of a row of ``totals``, ``task_energy`` or ``model_energy``."""
    return spread(row["carbon_low_g"], row["carbon_g"], row["carbon_high_g"])


def water_l(row: Row) -> Range | None:
    """Return the water of a row of ``totals``, ``task_energy`` or ``model_energy``."""
    return spread(row["water_low_l"], row["water_l"], row["water_high_l"])


def spread(low: float | None, central: float | None, high: float | None) -> Range | None:
    """Return a range that holds its central value, or None where that is unknown.

    Central values add up and the quantiles of draws do not, so a sum over many models can leave its
    own draws' 5 % to 95 %; the range is then widened to it.
    """
    if central is None or low is None or high is None:
        return None
    return Range(min(low, central), central, max(high, central))


def moment(value: datetime | None) -> str | None:
    """Return a UTC time of the store as ISO 8601."""
    return None if value is None else f"{value.isoformat()}Z"


def _place(row: Row) -> Place:
    return Place(
        zone=row["zone"],
        resolution=row["resolution"],
        energy_share=row["energy_share"],
        g_per_kwh=Range(row["g_per_kwh_low"], row["g_per_kwh"], row["g_per_kwh_high"]),
        l_per_kwh=Range(row["l_per_kwh_low"], row["l_per_kwh"], row["l_per_kwh_high"]),
        reason=row["reason"],
        title=row["title"],
        url=row["url"],
    )


def _counts(reader: Reader) -> dict[tuple[str, str], int]:
    return {(row["aspect"], row["value"]): row["count"] for row in reader.query("coverage")}


def _captures(found: dict[tuple[str, str], int]) -> dict[str, int]:
    calls = {value: count for (aspect, value), count in found.items() if aspect == "capture"}
    return dict(sorted(calls.items(), key=lambda one: (-one[1], one[0])))


def _reasons(reader: Reader, records: str) -> dict[str, int]:
    sql = "SELECT coalesce(reason, 'unknown') AS reason, sum(records)::BIGINT AS records "
    rows = reader.query(f"{sql} FROM ({records}) GROUP BY ALL ORDER BY records DESC, reason")
    return {row["reason"]: row["records"] for row in rows}
