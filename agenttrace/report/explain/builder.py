"""Take an estimate apart: what went in, the formula with its numbers, sources, what is unsure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from agenttrace.compare import explain, sensitivity
from agenttrace.compare.sensitivity import Measured, Used, brought_j
from agenttrace.energy.estimate import (
    HIGH_QUANTILE,
    JOULES_PER_WH,
    LOW_QUANTILE,
    Moments,
    energy_j,
    spread,
)
from agenttrace.errors import QueryError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.context import in_sight
from agenttrace.report.explain import parts
from agenttrace.report.explain.factors import driver, factors, shared
from agenttrace.report.explain.parts import ESTIMATED
from agenttrace.report.explain.subject import TOTAL, found, not_one_call
from agenttrace.report.explain.values import Explanation
from agenttrace.report.sums import Row, held, narrowed
from agenttrace.report.values import Tokens

_DRIVERS_SHOWN: Final = 6

_LEAST_SHOWN: Final = 0.01  # share of the variance

_CALL: Final = """
SELECT
    call_energy.*,
    call_energy.unpriced::BIGINT AS calls_unpriced,
    1 AS calls,
    model_call.usage,
    model_call.task_name
FROM call_energy
INNER JOIN model_call ON call_energy.call_id = model_call.call_id
WHERE starts_with(call_energy.call_id, $1)
ORDER BY call_energy.call_id
"""


_METER: Final = """
SELECT
    measured_call.boundary,
    measured_call.measured_wh * 3600 AS joules
FROM measured_call
WHERE measured_call.call_id = $1
"""


def explanation(reader: Reader, subject: str = TOTAL) -> Explanation:
    """Take apart the estimate of a task, of a call, or of everything.

    Args:
        reader: An open reader.
        subject: ``total``, in capitals or not, or the id of a task or of a call, or its beginning.

    Raises:
        QueryError: Nothing, or more than one thing, begins with *subject*.
    """
    if subject.casefold() == TOTAL:
        with held(reader, "call_total", *sums.SHARED):
            return _of_sums(reader, TOTAL, None, None)
    task_id, call_id = found(reader, subject)
    with narrowed(reader, task_id):
        (fact,) = reader.query("FROM task_fact")
        if call_id is not None:
            return _of_call(reader, fact, call_id)
        with held(reader, *sums.SHARED):
            return _of_sums(reader, "task", task_id, fact["task_name"])


def _of_sums(reader: Reader, subject: str, id_: str | None, name: str | None) -> Explanation:
    (row,) = reader.query("totals")
    totals = sums.totals(reader)
    return _explained(
        reader,
        reader.query(parts.MOMENTS),
        reader.query(parts.PLACES),
        _Result(
            subject=subject,
            id=id_,
            name=name,
            started_at=sums.moment(row["first_started_at"]),
            estimated_calls=totals.estimated_calls,
            tokens=totals.tokens,
            energy_wh=totals.energy_wh,
            carbon_g=totals.carbon_g,
            water_l=sums.spread(row["water_low_l"], row["water_l"], row["water_high_l"]),
        ),
    )


def _of_call(reader: Reader, fact: Row, beginning: str) -> Explanation:
    with in_sight(reader, fact), held(reader, "model_call", "call_energy"):
        rows = reader.query(_CALL, [beginning])
    if len(rows) != 1:
        raise QueryError(not_one_call(reader, fact, beginning, [row["call_id"] for row in rows]))
    (call,) = rows
    of_call = _parts_of_call(reader, call)
    place = {
        "provider": call["provider"],
        "region": call["region"],
        "calls": 1,
        "energy_wh": call["energy_wh"],
        "hourly_wh": call["energy_wh"] if call["resolution"] == "hourly" else 0.0,
    }
    energy_wh, carbon_g, water_l = _ranges_of_call(reader, call, of_call)
    return _explained(
        reader,
        of_call,
        [place],
        _Result(
            subject="call",
            id=call["call_id"],
            name=call["task_name"],
            started_at=sums.moment(call["started_at"]),
            estimated_calls=int(call["usage"] == "estimated"),
            tokens=sums.tokens(call),
            energy_wh=energy_wh,
            carbon_g=carbon_g,
            water_l=water_l,
        ),
    )


def _parts_of_call(reader: Reader, call: Row) -> list[Row]:
    """Return a call as rows of moments: what a meter saw of it, and the estimate of the rest."""
    rest = 1 - call["covered"]
    moments = {name: (call[name] or 0.0) * rest for name in Moments._fields}
    estimate_wh = None if call["estimate_wh"] is None else call["estimate_wh"] * rest
    found = [{**call, **moments, "basis": ESTIMATED, "energy_wh": estimate_wh}]
    if call["measured_wh"] is not None:
        (meter,) = reader.query(_METER, [call["call_id"]])
        seen = {**dict.fromkeys(Moments._fields, 0.0), "uncached": meter["joules"]}
        none = {"calls": 0, "calls_unpriced": 0}
        found.append(
            {**call, **seen, **none, "basis": meter["boundary"], "energy_wh": call["measured_wh"]}
        )
    return found


def _ranges_of_call(
    reader: Reader, call: Row, of_call: Sequence[Row]
) -> tuple[Range | None, Range | None, Range | None]:
    """Return energy, carbon and water of a call: centrals as its row has them, and their draws."""
    if call["energy_wh"] is None:
        return None, None, None
    used, seen = parts.used(reader, of_call), parts.seen(of_call)
    drawn = [
        sum(
            (energy_j(one.moments, one.factor.draws[number]) for one in used),
            start=brought_j(seen, constants, reader.factors.boundary),
        )
        / JOULES_PER_WH
        for number, constants in enumerate(reader.factors.constant_draws)
    ]
    place = parts.place(reader, call)
    # An hour's intensity is known; a year's is drawn.
    grams = place.g_draws
    if call["resolution"] == "hourly" and call["energy_wh"]:
        grams = [1000 * call["carbon_g"] / call["energy_wh"]] * len(drawn)
    return (
        spread(call["energy_wh"], drawn),
        spread(call["carbon_g"], [wh * g / 1000 for wh, g in zip(drawn, grams, strict=True)]),
        spread(call["water_l"], [w * n / 1000 for w, n in zip(drawn, place.l_draws, strict=True)]),
    )


@dataclass(frozen=True, slots=True)
class _Result:
    """What is explained, and what the report says of it; fields as in :class:`Explanation`."""

    subject: str
    id: str | None
    name: str | None
    started_at: str | None
    estimated_calls: int
    tokens: Tokens
    energy_wh: Range | None
    carbon_g: Range | None
    water_l: Range | None


def _explained(
    reader: Reader, rows: Sequence[Row], places: Sequence[Row], result: _Result
) -> Explanation:
    chosen = reader.factors
    used, seen = parts.used(reader, rows), parts.seen(rows)
    shares = sensitivity.shares(used, shared(reader), seen) if result.energy_wh else []
    shown = [one for one in shares[:_DRIVERS_SHOWN] if one.share >= _LEAST_SHOWN]
    others = shares[len(shown) :]
    return Explanation(
        store=str(reader.home),
        subject=result.subject,
        id=result.id,
        name=result.name,
        started_at=result.started_at,
        calls=sum(row["calls"] for row in rows),
        estimated_calls=result.estimated_calls,
        unpriced_calls=sum(row["calls_unpriced"] for row in rows),
        tokens=result.tokens,
        formula=explain.formula(chosen.boundary),
        models=tuple(parts.models(reader, rows, result.energy_wh)),
        factors=tuple(factors(reader, used, seen)),
        places=tuple(parts.place_line(reader, row, result.energy_wh) for row in places),
        energy_wh=result.energy_wh,
        carbon_g=result.carbon_g,
        water_l=result.water_l,
        drivers=tuple(driver(reader, used, one, seen) for one in shown),
        other_drivers=len(others),
        other_drivers_share=sum(one.share for one in others),
        joint_share=max(0.0, 1 - sum(one.share for one in shares)) if shares else 0.0,
        boundary=chosen.boundary,
        factor_set=chosen.version,
        draws=chosen.draws,
        low_quantile=LOW_QUANTILE,
        high_quantile=HIGH_QUANTILE,
        warnings=(*reader.store_warnings, *_warnings(reader, used, seen)),
    )


def _warnings(reader: Reader, used: Sequence[Used], seen: Sequence[Measured]) -> Iterable[str]:
    concerned = [one.factor for one in used]
    unknown = [one for one in reader.factors.models if not one.match.known]
    for one, warning in zip(unknown, reader.factors.warnings, strict=True):
        if one in concerned:
            yield warning
    if not seen:
        return
    yield (
        "A part of the energy was measured; the formula is about the rest."
        if used
        else "All of this energy was measured; nothing of it is an estimate of the formula."
    )
    boundary = reader.factors.boundary
    if needed := sensitivity.between(seen, boundary):
        others = " and the ".join(one.boundary for one in seen if one.boundary != boundary)
        letters = "M and s" if "host_share" in needed else "M"
        yield f"What meters saw of the {others} is brought to the {boundary} with {letters}."
