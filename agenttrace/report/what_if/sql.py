"""The SQL of the comparison: moments per model and place, as recorded and as they would be."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from agenttrace.energy.draws import PlaceFactor
from agenttrace.energy.estimate import Moments
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.what_if.values import PERFECT, Choices

# Sums over calls of one kind; what is not changed call by call needs no more.
_SUMMED: Final = """
SELECT
    {rows}.provider,
    {rows}.model,
    {rows}.region,
    {hour} AS hour,
    {rows}.calls,
    {rows}.input_tokens_calls + {rows}.output_calls AS sides,
    {rows}.unpriced_calls,
    CASE WHEN {rows}.usage = 'estimated' THEN {rows}.calls ELSE 0 END AS estimated_calls,
    0 AS cut_calls,
    0 AS cut_tokens,
    {rows}.uncached AS b0,
    {rows}.uncached_context_x2 AS b1,
    {rows}.cached AS b2,
    {rows}.output AS b3,
    {rows}.output_context_x2 AS b4,
    b0 AS a0,
    b1 AS a1,
    b2 AS a2,
    b3 AS a3,
    b4 AS a4
FROM {rows}
WHERE {condition}
"""

# One row per call. The context is cut first, then what is left is cached anew.
BY_CALL: Final = """
SELECT
    cached.provider,
    cached.model,
    cached.region,
    date_trunc('hour', cached.started_at) AS hour,
    1 AS calls,
    (cached.n IS NOT NULL)::BIGINT + (cached.n_o IS NOT NULL)::BIGINT AS sides,
    (cached.n IS NULL OR cached.n_o IS NULL)::BIGINT AS unpriced_calls,
    (cached.usage = 'estimated')::BIGINT AS estimated_calls,
    coalesce((cached.kept < cached.n)::BIGINT, 0) AS cut_calls,
    coalesce(cached.n - cached.kept, 0) AS cut_tokens,
    coalesce(cached.n_u, 0) AS b0,
    coalesce(cached.n_u::HUGEINT * (2 * cached.n_c + cached.n_u), 0) AS b1,
    coalesce(cached.n_c, 0) AS b2,
    coalesce(cached.n_o, 0) AS b3,
    coalesce(cached.n_o::HUGEINT * (2 * coalesce(cached.n, 0) + cached.n_o), 0) AS b4,
    coalesce(cached.kept - cached.hit, 0) AS a0,
    coalesce((cached.kept - cached.hit)::HUGEINT * (cached.hit + cached.kept), 0) AS a1,
    coalesce(cached.hit, 0) AS a2,
    coalesce(cached.n_o, 0) AS a3,
    coalesce(cached.n_o::HUGEINT * (2 * coalesce(cached.kept, 0) + cached.n_o), 0) AS a4
FROM (
    SELECT
        limited.*,
        {hit} AS hit
    FROM (
        SELECT
            counted_call.*,
            counted_call.n_u + counted_call.n_c AS n,
            {kept} AS kept,
            CASE WHEN kept IS NOT NULL THEN least(counted_call.n_c, kept) END AS kept_hit
        FROM counted_call
        WHERE {condition}
    ) AS limited
) AS cached
"""

_HITS: Final = {
    None: "limited.kept_hit",
    PERFECT: """
        CASE
            WHEN limited.operation IN ('embeddings', 'rerank') OR limited.kept IS NULL
                THEN limited.kept_hit
            ELSE greatest(
                limited.kept_hit,
                least(limited.kept, coalesce(lag(
                    limited.kept + coalesce(limited.n_o, 0) IGNORE NULLS
                ) OVER (
                    PARTITION BY
                        limited.task_id,
                        limited.agent,
                        limited.agent_depth,
                        limited.provider,
                        limited.model
                    ORDER BY limited.start_ns, limited.span_id
                ), 0))
            )
        END
    """,
}

_HIT_RATE: Final = """
    CASE
        WHEN limited.operation IN ('embeddings', 'rerank') OR limited.kept IS NULL
            THEN limited.kept_hit
        ELSE round({rate} * limited.kept)::BIGINT
    END
"""

# A call is weighed with the intensity of its hour, where that is known. It moves to another hour
# only if both are: else an hour would be compared with the average of a year.
_ADDED: Final = """
WITH
kind AS ({kinds}),

zone AS (
    SELECT * FROM (VALUES {zones}) AS listed (provider, region, before_zone, after_zone)
),

weighed AS (
    SELECT
        kind.*,
        before_hour.g_per_kwh AS before_g,
        stay_hour.g_per_kwh IS NOT NULL AND shifted_hour.g_per_kwh IS NOT NULL AS is_shifted,
        CASE WHEN is_shifted THEN shifted_hour.g_per_kwh ELSE stay_hour.g_per_kwh END AS after_g
    FROM kind
    INNER JOIN zone
        ON
            kind.provider IS NOT DISTINCT FROM zone.provider
            AND kind.region IS NOT DISTINCT FROM zone.region
    LEFT JOIN grid_hour AS before_hour
        ON zone.before_zone = before_hour.zone AND kind.hour = before_hour.hour
    LEFT JOIN grid_hour AS stay_hour
        ON zone.after_zone = stay_hour.zone AND kind.hour = stay_hour.hour
    LEFT JOIN grid_hour AS shifted_hour
        ON
            zone.after_zone = shifted_hour.zone
            AND kind.hour + to_hours({shift}) = shifted_hour.hour
)

SELECT
    weighed.provider,
    weighed.model,
    weighed.region,
    sum(weighed.calls)::BIGINT AS calls,
    sum(weighed.sides)::BIGINT AS sides,
    sum(weighed.unpriced_calls)::BIGINT AS unpriced_calls,
    sum(weighed.estimated_calls)::BIGINT AS estimated_calls,
    sum(weighed.cut_calls)::BIGINT AS cut_calls,
    sum(weighed.cut_tokens)::BIGINT AS cut_tokens,
    coalesce(sum(weighed.calls) FILTER (WHERE weighed.after_g IS NOT NULL), 0)::BIGINT
        AS hourly_calls,
    coalesce(sum(weighed.calls) FILTER (WHERE weighed.before_g IS NOT NULL), 0)::BIGINT
        AS hourly_calls_before,
    coalesce(sum(weighed.calls) FILTER (WHERE weighed.is_shifted), 0)::BIGINT AS shifted_calls,
    {sums}
FROM weighed
GROUP BY weighed.provider, weighed.model, weighed.region
HAVING sum(weighed.calls) > 0
ORDER BY ALL
"""


def of_both_sides(
    reader: Reader,
    choices: Choices,
    places: Mapping[tuple[str | None, str | None], tuple[PlaceFactor, PlaceFactor]],
    since: datetime | None,
) -> str:
    """Return the SELECT of calls and moments per provider, model and region.

    Moments are in columns ``b0`` to ``b4`` before and ``a0`` to ``a4`` after, the two quadratic
    ones doubled so that they are whole. ``bg`` and ``ag`` have them multiplied with the intensity
    of the hour where that is known, ``bh`` and ``ah`` have those of the same calls.

    Args:
        reader: An open reader.
        choices: What is to be otherwise.
        places: By provider and region, before and after.
        since: Only calls from this hour on, UTC.
    """
    zones = ", ".join(
        f"({_text(provider)}, {_text(region)}, {_text(one.place.zone)}, {_text(two.place.zone)})"
        for (provider, region), (one, two) in places.items()
    )
    return _ADDED.format(
        kinds=_kinds(reader, choices, since),
        zones=zones or "(NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR)",
        shift=int(choices.shift_hours),
        sums=",\n    ".join(_weighed_sums()),
    )


def _kinds(reader: Reader, choices: Choices, since: datetime | None) -> str:
    if choices.is_by_call:
        return BY_CALL.format(
            hit=_hit(choices.cache),
            kept=_kept(choices.context_limit),
            condition="TRUE" if since is None else f"started_at >= {_time(since)}",
        )
    (hours,) = reader.query("SELECT count(*) AS known FROM grid_hour")
    if since is None and not hours["known"]:
        return _SUMMED.format(rows="call_total", hour="NULL::TIMESTAMP", condition="TRUE")
    condition = "TRUE" if since is None else f"call_rollup.hour >= {_time(since)}"
    return _SUMMED.format(rows="call_rollup", hour="call_rollup.hour", condition=condition)


def _hit(cache: float | str | None) -> str:
    if isinstance(cache, float | int):
        return _HIT_RATE.format(rate=float(cache))
    return _HITS[cache]


def _kept(limit: int | None) -> str:
    if limit is None:
        return "counted_call.n_u + counted_call.n_c"
    # least() leaves NULL out, and what is not reported is not the limit.
    return (
        "CASE WHEN counted_call.n_u IS NOT NULL "
        f"THEN least(counted_call.n_u + counted_call.n_c, {int(limit)}) END"
    )


def _weighed_sums() -> Iterator[str]:
    for side, grams in (("b", "before_g"), ("a", "after_g")):
        for place in range(len(Moments._fields)):
            moment = f"weighed.{side}{place}"
            known = f"FILTER (WHERE weighed.{grams} IS NOT NULL)"
            yield f"sum({moment}) AS {side}{place}"
            yield f"sum({moment} * weighed.{grams}) {known} AS {side}g{place}"
            yield f"sum({moment}) {known} AS {side}h{place}"


def _text(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None else sums.quoted(value)


def _time(value: datetime) -> str:
    return f"TIMESTAMP {sums.quoted(value.isoformat(sep=' '))}"
