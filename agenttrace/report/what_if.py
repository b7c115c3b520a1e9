"""The recorded calls under another choice: before, after, and the difference."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Literal

from agenttrace import energy
from agenttrace.compare import what_if
from agenttrace.compare.what_if import Amounts, Drawn, Scale, Side
from agenttrace.energy import catalogue, draws, places
from agenttrace.energy.draws import PlaceFactor
from agenttrace.energy.estimate import ModelFactor, Moments
from agenttrace.energy.factors import Factor
from agenttrace.errors import ConfigError, QueryError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.context import in_sight
from agenttrace.report.explain import FactorLine, factor_line
from agenttrace.report.sums import Row, narrowed

EVERY: Final = "*"
PERFECT: Final = "perfect"

_EXTRAPOLATED_BELOW: Final = 8  # batches outside of what was measured
_EXTRAPOLATED_ABOVE: Final = 2048
_MODELS_NAMED: Final = 12

_OPTIONS: Final = (
    "--model A=B, --cache, --context-limit, --region, --shift-hours, --hardware, --batch"
)

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

# A call is weighed with the intensity of its hour, where that is known.
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
        after_hour.g_per_kwh AS after_g
    FROM kind
    INNER JOIN zone
        ON
            kind.provider IS NOT DISTINCT FROM zone.provider
            AND kind.region IS NOT DISTINCT FROM zone.region
    LEFT JOIN grid_hour AS before_hour
        ON zone.before_zone = before_hour.zone AND kind.hour = before_hour.hour
    LEFT JOIN grid_hour AS after_hour
        ON
            zone.after_zone = after_hour.zone
            AND kind.hour + to_hours({shift}) = after_hour.hour
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
    {sums}
FROM weighed
GROUP BY weighed.provider, weighed.model, weighed.region
HAVING sum(weighed.calls) > 0
ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Choices:
    """What is to be otherwise; what is not said stays.

    Attributes:
        models: Model by the name of the one that it stands in for, in the order in which they are
            tried; ``*`` is every model that writes.
        cache: Share of the input of each call that comes from a cache, 0 to 1, or ``perfect``.
        context_limit: Most input tokens of a call.
        region: Where the calls run: a cloud region, a country or a zone of the grid.
        shift_hours: By how much later they run; earlier if negative.
        hardware: What they run on, such as ``b200``.
        batch: How many requests are answered together.
    """

    models: tuple[tuple[str, str], ...] = ()
    cache: float | Literal["perfect"] | None = None
    context_limit: int | None = None
    region: str | None = None
    shift_hours: int = 0
    hardware: str | None = None
    batch: int | None = None

    @property
    def is_by_call(self) -> bool:
        """Whether calls change each by itself, so that their sums are not enough."""
        return self.cache is not None or self.context_limit is not None


@dataclass(frozen=True, slots=True)
class Change:
    """A quantity before and after, and the difference on the same draws.

    Attributes:
        before: As recorded.
        after: Under the choices.
        difference: After less before; its range is that of the differences.
        ratio: After over before, likewise; None where there is nothing to divide by.
    """

    before: Range
    after: Range
    difference: Range
    ratio: Range | None


@dataclass(frozen=True, slots=True)
class ModelChange:
    """The calls of one model.

    Attributes:
        provider: Who answered; None where nothing says it.
        model: Model that answered; None where nothing says it.
        becomes: Model that stands in for it; None where it stays.
        calls: Model calls.
        energy_wh: What they take; None where no usage is reported.
    """

    provider: str | None
    model: str | None
    becomes: str | None
    calls: int
    energy_wh: Change | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The same calls under another choice.

    Attributes:
        store: The folder.
        subject: ``total`` or ``task``.
        id: Of the task.
        name: Of the task, as far as it is known.
        since: Start of the first hour that counts, UTC; None for all.
        choices: What was chosen, a phrase each.
        assumed: What is taken for granted, a sentence each.
        calls: Model calls.
        estimated_calls: Those whose tokens agenttrace estimated.
        unpriced_calls: Those whose usage lacks a side; what is missing is in no figure.
        cut_calls: Those whose input was cut.
        cut_tokens: Input tokens that were cut off.
        input_tokens: Input before and after.
        cached_tokens: Input from a cache before and after.
        energy_wh: Energy at the boundary; None where no usage is reported.
        carbon_g: CO2 equivalent, location-based.
        water_l: Water of sites and grids.
        models: Largest difference first.
        factors: Sourced figures that only this comparison uses.
        boundary: What the energy covers.
        factor_set: Version of all factors together.
        draws: Joint draws behind each range.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar[str] = "what_if"

    store: str
    subject: str
    id: str | None
    name: str | None
    since: str | None
    choices: tuple[str, ...]
    assumed: tuple[str, ...]
    calls: int
    estimated_calls: int
    unpriced_calls: int
    cut_calls: int
    cut_tokens: int
    input_tokens: tuple[int, int]
    cached_tokens: tuple[int, int]
    energy_wh: Change | None
    carbon_g: Change | None
    water_l: Change | None
    models: tuple[ModelChange, ...]
    factors: tuple[FactorLine, ...]
    boundary: str
    factor_set: str
    draws: int
    warnings: tuple[str, ...]


def compared(
    reader: Reader, choices: Choices, *, task: str | None = None, since: datetime | None = None
) -> WhatIf:
    """Price what was recorded as it was and under *choices*.

    Args:
        reader: An open reader.
        choices: What is to be otherwise.
        task: Id of a task, or its beginning; everything if not given.
        since: Only calls from this hour on, UTC.

    Raises:
        ConfigError: Nothing is to be otherwise, or a choice is out of range.
        FactorError: There are no figures for the hardware, or the place is unknown.
        QueryError: There is no such task, or no call of a model that is to be replaced.
    """
    _check(choices, task, since)
    if task is None:
        return _compared(reader, choices, since=since)
    with narrowed(reader, sums.task_named(reader, task)):
        (fact,) = reader.query("FROM task_fact")
        with _calls_of(reader, fact, choices):
            return _compared(reader, choices, task=(fact["task_id"], fact["task_name"]))


def _check(choices: Choices, task: str | None, since: datetime | None) -> None:
    if choices == Choices():
        raise ConfigError(f"say what is to be otherwise: {_OPTIONS}.")
    if task is not None and since is not None:
        raise ConfigError("say a task or a date, not both.")
    if isinstance(choices.cache, float | int) and not 0 <= choices.cache <= 1:
        raise ConfigError(f"a cache hits 0 to 1 of the input, not {choices.cache:g}.")
    if choices.context_limit is not None and choices.context_limit < 0:
        raise ConfigError(f"a context holds 0 tokens or more, not {choices.context_limit:,}.")
    if choices.batch is not None and choices.batch < 1:
        raise ConfigError(f"a batch holds 1 request or more, not {choices.batch:,}.")


@contextmanager
def _calls_of(reader: Reader, fact: Row, choices: Choices) -> Generator[None]:
    if not choices.is_by_call:
        yield
        return
    with in_sight(reader, fact):
        yield


def _compared(
    reader: Reader,
    choices: Choices,
    *,
    task: tuple[str, str | None] | None = None,
    since: datetime | None = None,
) -> WhatIf:
    """Compare what is in sight; *task* is its id and its name, where it is one."""
    moved = _moved(reader, choices)
    rows = reader.query(_sql(reader, choices, since))
    plan = _Plan.made(reader, choices, rows, moved)
    pairs = [(row, plan.before(row), plan.after(row)) for row in rows]
    known = any(row["sides"] for row in rows)
    before = what_if.priced(side for _, side, _ in pairs)
    after = what_if.priced(side for _, _, side in pairs)
    calls = sum(row["calls"] for row in rows)
    cut_calls = sum(row["cut_calls"] for row in rows)
    return WhatIf(
        store=str(reader.home),
        subject="task" if task else "total",
        id=task[0] if task else None,
        name=task[1] if task else None,
        since=None if since is None else f"{since.isoformat()}Z",
        choices=tuple(_chosen(choices)),
        assumed=tuple(_assumed(reader, choices, rows, moved)),
        calls=calls,
        estimated_calls=sum(row["estimated_calls"] for row in rows),
        unpriced_calls=sum(row["unpriced_calls"] for row in rows),
        cut_calls=cut_calls,
        cut_tokens=sum(row["cut_tokens"] for row in rows),
        input_tokens=(_tokens(rows, "b", 0, 2), _tokens(rows, "a", 0, 2)),
        cached_tokens=(_tokens(rows, "b", 2), _tokens(rows, "a", 2)),
        energy_wh=_change(before.energy_wh, after.energy_wh) if known else None,
        carbon_g=_change(before.carbon_g, after.carbon_g) if known else None,
        water_l=_change(before.water_l, after.water_l) if known else None,
        models=_models(pairs, plan),
        factors=tuple(factor_line(reader, factor, ()) for factor in plan.used),
        boundary=reader.factors.boundary,
        factor_set=reader.factors.version,
        draws=reader.factors.draws,
        warnings=(*reader.store_warnings, *plan.warnings, *_pruned(reader, choices, calls, since)),
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What prices the calls of a row on either side.

    Attributes:
        models: By provider and model, before and after.
        places: By provider and region, before and after.
        moved: Model that stands in, by provider and model.
        used: Sourced figures that the choices brought in.
        warnings: What is not known about the models, a sentence each.
    """

    models: Mapping[tuple[str | None, str | None], tuple[ModelFactor, ModelFactor]]
    places: Mapping[tuple[str | None, str | None], tuple[PlaceFactor, PlaceFactor]]
    moved: Mapping[tuple[str | None, str | None], str]
    used: tuple[Factor, ...]
    warnings: tuple[str, ...]

    @classmethod
    def made(
        cls,
        reader: Reader,
        choices: Choices,
        rows: Sequence[Row],
        moved: Mapping[tuple[str | None, str | None], str],
    ) -> "_Plan":
        """Price every model of *rows* as it was and as it would be."""
        before = {(one.provider, one.model): one for one in reader.factors.models}
        present = list(dict.fromkeys((row["provider"], row["model"]) for row in rows))
        instead = energy.factor_set(
            [(provider, moved.get((provider, model), model)) for provider, model in present],
            factors=reader.factors.origin,
            boundary=reader.factors.boundary,
        )
        models: dict[tuple[str | None, str | None], tuple[ModelFactor, ModelFactor]] = {}
        used: dict[str, Factor] = {}
        for key, other in zip(present, instead.models, strict=True):
            scales = _scales(reader, choices, other)
            used |= {factor.id: factor for scale in scales for factor in scale.factors}
            after = other if key in moved else before[key]
            models[key] = (before[key], what_if.scaled(after, *scales))
        concerned = [before[key] for key in present]
        unknown = [one for one in reader.factors.models if not one.match.known]
        warnings = [
            warning
            for one, warning in zip(unknown, reader.factors.warnings, strict=True)
            if one in concerned
        ]
        return cls(
            models=models,
            places=_places(reader, choices),
            moved=moved,
            used=tuple(used.values()),
            warnings=tuple(dict.fromkeys((*warnings, *instead.warnings))),
        )

    def before(self, row: Row) -> Side:
        """Return the calls of *row* as they were."""
        factor, _ = self.models[row["provider"], row["model"]]
        place, _ = self.places[row["provider"], row["region"]]
        return _side(row, "b", factor, place)

    def after(self, row: Row) -> Side:
        """Return the calls of *row* as they would be."""
        _, factor = self.models[row["provider"], row["model"]]
        _, place = self.places[row["provider"], row["region"]]
        return _side(row, "a", factor, place)


def _side(row: Row, side: str, factor: ModelFactor, place: PlaceFactor) -> Side:
    hourly = _moments(row, f"{side}g")
    by_hour = _moments(row, f"{side}h")
    moments = _moments(row, side) or Moments(0.0, 0.0, 0.0, 0.0, 0.0)
    return Side(moments, factor, place, hourly=hourly, by_hour=by_hour)


def _moments(row: Row, prefix: str) -> Moments | None:
    """Return moments of a row; the two quadratic ones are kept twice as large, to be whole."""
    values = [row[f"{prefix}{place}"] for place in range(len(Moments._fields))]
    if values[0] is None:
        return None
    u, ux, c, o, ox = (float(value) for value in values)
    return Moments(u, ux / 2, c, o, ox / 2)


def _scales(reader: Reader, choices: Choices, model: ModelFactor) -> list[Scale]:
    found: list[Scale] = []
    match, factors = model.match, reader.factors.origin
    decodes = match.parts.decode_j_per_token is not None
    if choices.hardware is not None:
        name, class_name = choices.hardware, match.class_name
        found.append(what_if.hardware(name, class_name, factors, decodes=decodes))
    if choices.batch is not None and decodes:
        found.append(what_if.batch(choices.batch, factors))
    return found


def _places(
    reader: Reader, choices: Choices
) -> dict[tuple[str | None, str | None], tuple[PlaceFactor, PlaceFactor]]:
    return {
        (one.provider, one.region): (one, _elsewhere(reader, one, choices.region))
        for one in reader.factors.places
    }


def _elsewhere(reader: Reader, one: PlaceFactor, region: str | None) -> PlaceFactor:
    """Return the place that calls are moved to; who serves them stays who it was."""
    if region is None:
        return one
    factors = reader.factors
    place = places.place(one.provider, None, factors.origin, default=region)
    return draws.placed(one.provider, one.region, place, factors.boundary)


def _moved(reader: Reader, choices: Choices) -> dict[tuple[str | None, str | None], str]:
    """Return what stands in for which recorded model."""
    found: dict[tuple[str | None, str | None], str] = {}
    for name, other in choices.models:
        fitting = [one for one in reader.factors.models if _is_named(one, name)]
        if not fitting:
            raise QueryError(_not_there(reader, name))
        for one in fitting:
            found.setdefault((one.provider, one.model), other)
    return found


def _is_named(model: ModelFactor, name: str) -> bool:
    if name == EVERY:
        # What reads only (embeddings, rerankers) cannot be answered by what writes.
        return model.match.parts.decode_j_per_token is not None
    if model.model is None:
        return False
    return name == model.model or catalogue.canonical(name) == catalogue.canonical(model.model)


def _not_there(reader: Reader, name: str) -> str:
    there = list(dict.fromkeys(one.model for one in reader.factors.models if one.model))
    if not there:
        return f"no call was answered by {name!r}: no call names its model."
    named = ", ".join(there[:_MODELS_NAMED])
    if there[_MODELS_NAMED:]:
        named += f" and {len(there) - _MODELS_NAMED:,} more"
    return f"no call was answered by {name!r}. Models here: {named}; {EVERY} is all that write."


def _sql(reader: Reader, choices: Choices, since: datetime | None) -> str:
    zones = ", ".join(
        f"({_text(provider)}, {_text(region)}, {_text(one.place.zone)}, {_text(two.place.zone)})"
        for (provider, region), (one, two) in _places(reader, choices).items()
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


def _tokens(rows: Iterable[Row], side: str, *places: int) -> int:
    return sum(int(row[f"{side}{place}"]) for row in rows for place in places)


def _change(before: Drawn, after: Drawn) -> Change:
    ratio = after.over(before)
    return Change(
        before=before.range,
        after=after.range,
        difference=after.minus(before).range,
        ratio=ratio.range if ratio else None,
    )


def _models(pairs: Sequence[tuple[Row, Side, Side]], plan: _Plan) -> tuple[ModelChange, ...]:
    found: dict[tuple[str | None, str | None], list[tuple[Row, Side, Side]]] = {}
    for row, before, after in pairs:
        found.setdefault((row["provider"], row["model"]), []).append((row, before, after))
    lines = [_model(key, group, plan) for key, group in found.items()]
    return tuple(sorted(lines, key=_by_difference))


def _model(
    key: tuple[str | None, str | None], group: Sequence[tuple[Row, Side, Side]], plan: _Plan
) -> ModelChange:
    before: Amounts = what_if.priced(side for _, side, _ in group)
    after: Amounts = what_if.priced(side for _, _, side in group)
    known = any(row["sides"] for row, _, _ in group)
    return ModelChange(
        provider=key[0],
        model=key[1],
        becomes=plan.moved.get(key),
        calls=sum(row["calls"] for row, _, _ in group),
        energy_wh=_change(before.energy_wh, after.energy_wh) if known else None,
    )


def _by_difference(line: ModelChange) -> tuple[float, float, str]:
    if line.energy_wh is None:
        return 0.0, 0.0, line.model or ""
    change = line.energy_wh
    return -abs(change.difference.central), -change.before.central, line.model or ""


def _chosen(choices: Choices) -> Iterator[str]:
    for name, other in choices.models:
        yield f"{'every model that writes' if name == EVERY else name} is {other}"
    if choices.cache == PERFECT:
        yield "the cache is perfect"
    elif choices.cache is not None:
        yield f"{choices.cache:.0%} of the input is cached" if choices.cache else "no cache"
    if choices.context_limit is not None:
        yield f"at most {choices.context_limit:,} input tokens a call"
    if choices.region is not None:
        yield f"in {choices.region}"
    if choices.shift_hours:
        way = "later" if choices.shift_hours > 0 else "earlier"
        hours = abs(choices.shift_hours)
        yield f"{hours:,} {'hour' if hours == 1 else 'hours'} {way}"
    if choices.hardware is not None:
        yield f"on {choices.hardware}"
    if choices.batch is not None:
        yield f"in batches of {choices.batch:,}"


def _assumed(
    reader: Reader,
    choices: Choices,
    rows: Sequence[Row],
    moved: Mapping[tuple[str | None, str | None], str],
) -> Iterator[str]:
    if moved:
        yield (
            "The other model needs as many calls and tokens as the recorded one did, and is served "
            "at the same place; its answers are not judged."
        )
    yield from _assumed_of_cache(choices)
    if choices.context_limit is not None:
        yield (
            "What is above the limit is left out, uncached input first, and as much is written. "
            "Whether the answers are as good is not known: quality is not modelled."
        )
    if choices.region is not None:
        yield (
            "All calls run there, served as efficiently as before: energy stays the same, and the "
            "electricity and its water change."
        )
    yield from _assumed_of_hours(choices, rows)
    if choices.hardware is not None:
        yield from _assumed_of_hardware(reader, choices.hardware)
    if choices.batch is not None:
        yield from _assumed_of_batch(choices.batch)
    if reader.is_measured:
        yield "Some of these calls were measured; both sides here are estimates, to be comparable."


def _assumed_of_cache(choices: Choices) -> Iterator[str]:
    if choices.cache == PERFECT:
        yield (
            "Whatever an agent sent and received in its previous call of the same model is cached "
            "in its next, for as long as it takes; agents of one name and depth are taken for one."
        )
    elif choices.cache:
        yield "The share is the same in every call, the first included; embeddings have no cache."


def _assumed_of_hours(choices: Choices, rows: Sequence[Row]) -> Iterator[str]:
    calls, hourly = (sum(row[name] for row in rows) for name in ("calls", "hourly_calls"))
    if choices.shift_hours and not hourly:
        yield (
            "Shifting needs hourly intensities of the grid, and there are none for these hours and "
            "places, so it makes no difference: import some with `agenttrace grid import FILE`."
        )
    elif hourly < calls and hourly:
        yield (
            f"Hourly intensities are known for {hourly:,} of {calls:,} calls; the others are "
            "reckoned with the average of the year."
        )


def _assumed_of_hardware(reader: Reader, name: str) -> Iterator[str]:
    yield (
        "The recorded calls ran on H100, which the factors stand for; nothing tells what they "
        "really ran on."
    )
    if f"{name.lower()}.prefill_ratio" not in reader.factors.origin.factors:
        yield f"Nothing is known of reading on {name}, so reading stays as it was."


def _assumed_of_batch(batch: int) -> Iterator[str]:
    yield (
        f"The recorded calls were answered in batches of about {what_if.MEASURED_BATCH}, which the "
        "factors stand for. The energy of writing a token falls as a power of the batch; reading "
        "does not change."
    )
    if not _EXTRAPOLATED_BELOW <= batch <= _EXTRAPOLATED_ABOVE:
        yield (
            f"Measured were batches of {_EXTRAPOLATED_BELOW} to {_EXTRAPOLATED_ABOVE:,}; "
            f"{batch:,} is extrapolated."
        )


def _pruned(reader: Reader, choices: Choices, calls: int, since: datetime | None) -> Iterator[str]:
    """Say how many calls are missing because only their sums are left."""
    if not choices.is_by_call or not reader.pruned_before:
        return
    (row,) = reader.query(
        "SELECT coalesce(sum(calls), 0)::BIGINT AS calls FROM call_rollup "
        "WHERE hour >= coalesce($1::TIMESTAMP, hour)",
        [since],
    )
    if row["calls"] > calls:
        yield (
            f"{row['calls'] - calls:,} calls are in neither figure: their spans from before "
            f"{reader.pruned_before} (UTC) were pruned, and sums do not tell what one call had."
        )
