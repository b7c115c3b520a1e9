"""Build an export of activity: its rows, their hashes, and everything that the rows rest on."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from agenttrace import __version__, config
from agenttrace.compare import embodied
from agenttrace.compare.methods import ECOLOGITS, Work
from agenttrace.compare.periods import Period
from agenttrace.errors import ConfigError, QueryError
from agenttrace.reader import Reader
from agenttrace.report import absence, naming, stretches, sums
from agenttrace.report.activity import canonical, market, sci, tables
from agenttrace.report.activity.values import FORMAT, Activity, Meta
from agenttrace.report.explain import parts
from agenttrace.report.explain.factors import factors
from agenttrace.report.selection import Selection, selected
from agenttrace.report.sums import held

_HELD: Final = (*sums.SHARED, "activity_moments", "activity_draw")

_RECORDED: Final = """
SELECT DISTINCT strftime(call_rollup.hour, '%Y-%m') AS month
FROM call_rollup
ORDER BY month
"""

_MONTHS_NAMED: Final = 12


def check_months(period: Period) -> None:
    """Raise where *period* is not made of whole months.

    Raises:
        ConfigError: It begins or ends within one.
    """
    for end in (period.start, period.end):
        if end is not None and end != datetime(end.year, end.month, 1):  # noqa: DTZ001 - UTC
            raise ConfigError(
                f"the period {period} is not made of whole months, which activity is told by. "
                "Say 2026-10, 2026-10..2026-12, 2026, or all."
            )


def activity(reader: Reader, selection: Selection) -> Activity:
    """Return the activity of *selection*, row by row, and what it rests on.

    Args:
        reader: An open reader.
        selection: Which calls; its period is made of whole months.

    Raises:
        ConfigError: The period begins or ends within a month.
        FactorError: Certificates or residual mixes that are kept cannot be read.
        QueryError: Nothing was recorded that is selected.
    """
    check_months(selection.period)
    with _in_order(reader):
        prices = market.prices(reader)
        whole = tuple(stretches.unfinished(selection.period, absence.recorded(reader)))
        with selected(reader, selection), held(reader, *_HELD):
            (row,) = reader.query("totals")
            if row["calls"]:
                found = _activity(reader, selection, prices)
                return replace(found, warnings=(*found.warnings, *whole))
        naming.check(reader, selection)
        raise QueryError(_nothing(reader, selection))


@contextmanager
def _in_order(reader: Reader) -> Generator[None]:
    """Let sums be added in one order, so that the same store gives the same digits and hash."""
    ((threads,),) = reader.connection.execute("SELECT current_setting('threads')").fetchall()
    reader.connection.execute("SET threads = 1")
    try:
        yield
    finally:
        reader.connection.execute(f"SET threads = {threads}")


def _activity(
    reader: Reader, selection: Selection, prices: dict[tuple[str, int], market.Price]
) -> Activity:
    (row,) = reader.query("totals")
    totals = sums.totals(reader)
    moments = reader.query(parts.MOMENTS)
    used, seen = parts.used(reader, moments), parts.seen(moments)
    rows = {
        "activity": tables.activity(reader, prices),
        "workflow": tables.workflow(reader, sci.making(reader)),
    }
    zones = {(zone, month[:4]) for zone, month in _zones(reader)}
    return Activity(
        meta=Meta(
            format=FORMAT,
            agenttrace=__version__,
            exported_at=f"{datetime.now(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z",
            period=selection.period.label,
            workload=selection.workload,
            project=selection.project,
            task_name=selection.task_name,
            agent=selection.agent,
            region=reader.pricing.region or config.region(),
            boundary=reader.factors.boundary,
            factor_version=reader.factors.version,
            rows={name: len(table.rows) for name, table in rows.items()},
            sha256={name: canonical.sha256(table) for name, table in rows.items()},
        ),
        activity=rows["activity"],
        workflow=rows["workflow"],
        columns=tables.meanings(reader),
        first_started_at=sums.moment(row["first_started_at"]),
        last_started_at=sums.moment(row["last_started_at"]),
        totals=totals,
        coverage=sums.coverage(reader),
        method=sums.method(reader),
        models=tuple(parts.models(reader, moments, totals.energy_wh)),
        factors=tuple(factors(reader, used, seen)),
        places=tuple(
            parts.place_line(reader, place, totals.energy_wh)
            for place in reader.query(parts.PLACES)
        ),
        matching=tuple(
            price.line for (zone, year), price in prices.items() if (zone, str(year)) in zones
        ),
        embodied_source=_cited(ECOLOGITS),
        embodied_ignores=embodied.IGNORES,
        warnings=sums.warnings(reader),
    )


def _cited(work: Work) -> str:
    return f"{work.title} ({work.authors}, {work.year}), {work.url}"


def _zones(reader: Reader) -> set[tuple[str, str]]:
    return {(row["zone"], row["month"]) for row in reader.query("SELECT zone, month FROM activity")}


def _nothing(reader: Reader, selection: Selection) -> str:
    months = [row["month"] for row in reader.query(_RECORDED)]
    if not months:
        return (
            "nothing was recorded yet, so there is no activity to export. "
            "`agenttrace demo` records something, offline."
        )
    named = ", ".join(months[-_MONTHS_NAMED:])
    earlier = len(months) - _MONTHS_NAMED
    more = f", and {earlier} months before them" if earlier > 0 else ""
    return (
        f"no call of {selection} was recorded, which is not the same as no activity; no file was "
        f"written. Calls were recorded in {named}{more}."
    )
