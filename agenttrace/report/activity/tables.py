"""The rows of both tables, with what is worked out beside their queries, and what columns mean."""

from collections.abc import Iterable, Mapping
from typing import Final

from agenttrace.compare.embodied import Embodied
from agenttrace.energy.estimate import spread
from agenttrace.model import Range, Table
from agenttrace.reader import Reader
from agenttrace.report.activity import canonical
from agenttrace.report.activity.market import Price
from agenttrace.report.activity.sci import Key, key, sci
from agenttrace.report.intensity import Intensity, intensity
from agenttrace.report.sums import Row, energy_wh

_PER_1000: Final = 1000

_DRAWS: Final = """
WITH
summed AS (
    SELECT
        activity_draw.month,
        activity_draw.workload,
        activity_draw.provider,
        activity_draw.model,
        activity_draw.region,
        activity_draw.kind,
        activity_draw.draw,
        sum(activity_draw.energy_wh) AS energy_wh
    FROM activity_draw
    WHERE activity_draw.draw IS NOT NULL
    GROUP BY ALL
)

SELECT
    summed.* EXCLUDE (summed.draw, summed.energy_wh),
    list(summed.energy_wh ORDER BY summed.draw) AS energy_wh
FROM summed
GROUP BY ALL
"""

_ROW: Final = ("month", "workload", "provider", "model", "region", "kind")

_MARKET: Final = {
    "market_low_g": "5 % of the draws",
    "market_g": "grams of CO2 equivalent, market-based, central: certificates of the zone and "
    "year, shared by all energy recorded there in that year, then what market_based_from says; "
    "NULL where neither a certificate nor a residual mix of them is known",
    "market_high_g": "95 % of the draws",
    "market_based_from": "what the market-based figure rests on; NULL where there is none",
}
_EACH: Final = {
    "energy_per_1000_tokens_low_wh": "low end",
    "energy_per_1000_tokens_wh": "Wh for each 1,000 tokens of the row",
    "energy_per_1000_tokens_high_wh": "high end",
    "g_per_kwh": "gCO2e of each kWh of the row, location-based, central",
}
_WORKFLOW_EACH: Final = {
    f"{name}_per_{per}{end}_{unit}": f"{words} for each {of}{how}"
    for name, unit, words, per, of in (
        ("energy", "wh", "Wh", "task", "task of the row"),
        ("energy", "wh", "Wh", "call", "call of the row"),
        ("energy", "wh", "Wh", "1000_tokens", "1,000 tokens of the row"),
    )
    for end, how in (("_low", ", low end"), ("", ""), ("_high", ", high end"))
}
_SCI: Final = {
    "embodied_low_g": "low end",
    "embodied_g": "M: grams of CO2 equivalent for making the hardware, for the part of its life "
    "that the calls take; NULL where nothing is known",
    "embodied_high_g": "high end",
    "embodied_calls": "calls that M is known for",
    "sci_low_g": "low end; the ends of carbon and M are added",
    "sci_g": "(carbon_g + embodied_g) / tasks: SCI per workflow execution; NULL where either is "
    "not known",
    "sci_high_g": "high end",
}

_ACTIVITY_COLUMNS: Final = (
    *("row_id", "month", "workload", "provider", "model", "region", "kind", "calls", "tokens"),
    *("cache_write_tokens", "reasoning_tokens", "energy_low_wh", "energy_wh", "energy_high_wh"),
    *("carbon_low_g", "carbon_g", "carbon_high_g", *_MARKET),
    *("water_low_l", "water_l", "water_high_l", *_EACH),
    *("method", "model_class", "boundary", "factor_version", "zone", "resolution"),
    *("share_hourly", "share_measured", "share_estimated", "share_incomplete"),
)
_WORKFLOW_COLUMNS: Final = (
    *("row_id", "month", "workload", "project", "tasks", "calls", "calls_unreported", "tokens"),
    *("energy_low_wh", "energy_wh", "energy_high_wh"),
    *("carbon_low_g", "carbon_g", "carbon_high_g", "water_low_l", "water_l", "water_high_l"),
    *(*_WORKFLOW_EACH, *_SCI),
    *("boundary", "factor_version", "share_estimated", "share_incomplete"),
)

TYPES: Final[Mapping[str, type]] = {
    **dict.fromkeys(
        (
            *("row_id", "month", "workload", "project", "provider", "model", "region", "kind"),
            *("market_based_from", "method", "model_class", "boundary", "factor_version"),
            *("zone", "resolution"),
        ),
        str,
    ),
    **dict.fromkeys(
        (
            *(
                "tasks",
                "calls",
                "calls_unreported",
                "tokens",
                "cache_write_tokens",
                "reasoning_tokens",
            ),
            "embodied_calls",
        ),
        int,
    ),
}
"""What the columns hold that are no fraction."""


def type_of(column: str) -> type:
    """Return what *column* of either table holds: text, whole numbers, or fractions."""
    return TYPES.get(column, float)


def meanings(reader: Reader) -> dict[str, dict[str, str]]:
    """Return what each column means, by table; those of queries say it in their files."""
    queries = reader.queries
    of_activity = {one.name: one.doc for one in queries["activity"].columns}
    of_workflow = {one.name: one.doc for one in queries["activity_workflow"].columns}
    return {
        "activity": _ordered(_ACTIVITY_COLUMNS, {**of_activity, **_MARKET, **_EACH}),
        "workflow": _ordered(_WORKFLOW_COLUMNS, {**of_workflow, **_WORKFLOW_EACH, **_SCI}),
    }


def _ordered(columns: Iterable[str], said: Mapping[str, str]) -> dict[str, str]:
    return {column: said[column] for column in columns}


def activity(reader: Reader, prices: Mapping[tuple[str, int], Price]) -> Table:
    """Return one row per month, workload, provider, model, region and kind of token, in that order.

    Args:
        reader: An open reader, which shows what is selected.
        prices: Market-based grams of a kWh, by zone and year.
    """
    draws = {_key(row): row["energy_wh"] for row in reader.query(_DRAWS)} if prices else {}
    order = ", ".join(f"{name} NULLS LAST" for name in _ROW)
    rows = reader.query(f"FROM activity ORDER BY {order}")
    return _table(
        _ACTIVITY_COLUMNS,
        [{**row, **_market(row, prices, draws), **_each_of(row)} for row in rows],
    )


def workflow(reader: Reader, made: Mapping[Key, Embodied]) -> Table:
    """Return one row per month, workload and project, in that order.

    Args:
        reader: An open reader, which shows what is selected.
        made: What making the hardware costs.
    """
    rows = reader.query("FROM activity_workflow ORDER BY month, workload, project NULLS LAST")
    return _table(
        _WORKFLOW_COLUMNS, [{**row, **_each_workflow(row), **_scored(row, made)} for row in rows]
    )


def _key(row: Row) -> tuple[str | None, ...]:
    return tuple(row[name] for name in _ROW)


def _market(
    row: Row,
    prices: Mapping[tuple[str, int], Price],
    draws: Mapping[tuple[str | None, ...], list[float]],
) -> Row:
    price = prices.get((row["zone"], int(row["month"][:4])))
    central = row["energy_wh"]
    if price is None or central is None:
        return dict.fromkeys(_MARKET)
    drawn = draws[_key(row)]
    of_draws = [wh * g / 1000 for wh, g in zip(drawn, price.draws, strict=True)]
    grams = spread(central * price.g_per_kwh / 1000, of_draws)
    return {**_ends("market", "g", grams), "market_based_from": price.known_from}


def _each_of(row: Row) -> Row:
    of_tokens = _per(row, "1,000 tokens", row["tokens"], _PER_1000)
    carbon, energy = row["carbon_g"], row["energy_wh"]
    return {
        **_ends("energy_per_1000_tokens", "wh", of_tokens.each),
        "g_per_kwh": 1000 * carbon / energy if carbon is not None and energy else None,
    }


def _each_workflow(row: Row) -> Row:
    return {
        **_ends("energy_per_task", "wh", _per(row, "task", row["tasks"]).each),
        **_ends("energy_per_call", "wh", _per(row, "call", row["calls"]).each),
        **_ends(
            "energy_per_1000_tokens",
            "wh",
            _per(row, "1,000 tokens", row["tokens"], _PER_1000).each,
        ),
    }


def _per(row: Row, per: str, volume: float | None, each: float = 1) -> Intensity:
    return intensity(
        "energy",
        "Wh",
        per,
        period=row["month"],
        total=energy_wh(row),
        volume=None if volume is None else volume / each,
    )


def _scored(row: Row, made: Mapping[Key, Embodied]) -> Row:
    score = sci(row, made.get(key(row)))
    each = score.per_execution.each if score.per_execution else None
    return {
        **_ends("embodied", "g", score.embodied_g),
        "embodied_calls": score.embodied_calls,
        **_ends("sci", "g", each),
    }


def _ends(name: str, unit: str, value: Range | None) -> Row:
    return {
        f"{name}_low_{unit}": value.low if value else None,
        f"{name}_{unit}": value.central if value else None,
        f"{name}_high_{unit}": value.high if value else None,
    }


def _table(columns: tuple[str, ...], rows: Iterable[Row]) -> Table:
    return Table(
        columns, [tuple(canonical.rounded(row[column]) for column in columns) for row in rows]
    )
