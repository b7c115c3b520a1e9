"""Price the recorded calls as they were and under another choice."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from agenttrace.compare import what_if
from agenttrace.compare.what_if import Amounts, Drawn, Side
from agenttrace.energy import places
from agenttrace.errors import ConfigError
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.context import in_sight
from agenttrace.report.explain.factors import factor_line
from agenttrace.report.sums import Row, narrowed
from agenttrace.report.what_if import sql, words
from agenttrace.report.what_if.plan import Plan, both_places, moved_models
from agenttrace.report.what_if.values import MOST_HOURS, Change, Choices, ModelChange, WhatIf

_OPTIONS: Final = (
    "--model A=B, --cache, --context-limit, --region, --shift-hours, --hardware, --batch"
)


def compared(
    reader: Reader, choices: Choices, *, task: str | None = None, since: datetime | None = None
) -> WhatIf:
    """Price what was recorded as it was and under *choices*.

    Args:
        reader: An open reader.
        choices: What is to be otherwise.
        task: Id of a task, or its beginning; everything if not given.
        since: Only calls from the hour on that this moment is in, UTC: sums are kept by the hour.

    Raises:
        ConfigError: Nothing is to be otherwise, a choice is out of range, or what only reads is to
            answer.
        FactorError: There are no figures for the hardware, or the place is unknown.
        QueryError: There is no such task, or no call of a model that is to be replaced.
    """
    _check(choices, task, since)
    _check_names(reader, choices)
    if task is None:
        hour = None if since is None else since.replace(minute=0, second=0, microsecond=0)
        return _compared(reader, choices, since=hour)
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
    if abs(choices.shift_hours) > MOST_HOURS:
        raise ConfigError(
            f"calls are shifted by ten years ({MOST_HOURS:,} hours) at most, not by "
            f"{choices.shift_hours:,} hours."
        )
    if choices.batch is not None and choices.batch < 1:
        raise ConfigError(f"a batch holds 1 request or more, not {choices.batch:,}.")


def _check_names(reader: Reader, choices: Choices) -> None:
    """Refuse what nothing is known of, also where no call would be priced with it."""
    if choices.hardware is not None:
        what_if.hardware_id(choices.hardware, reader.factors.origin)
    if choices.region is not None:
        places.place(None, None, reader.factors.origin, default=choices.region)


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
    moved = moved_models(reader, choices)
    where = both_places(reader, choices)
    rows = reader.query(sql.of_both_sides(reader, choices, where, since))
    plan = Plan.made(reader, choices, rows, where, moved)
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
        choices=tuple(words.chosen(choices)),
        assumed=tuple(words.assumed(reader, choices, rows, moved)),
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
        warnings=(
            *reader.store_warnings,
            *plan.warnings,
            *words.pruned(reader, choices, calls, since),
        ),
    )


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


def _models(pairs: Sequence[tuple[Row, Side, Side]], plan: Plan) -> tuple[ModelChange, ...]:
    found: dict[tuple[str | None, str | None], list[tuple[Row, Side, Side]]] = {}
    for row, before, after in pairs:
        found.setdefault((row["provider"], row["model"]), []).append((row, before, after))
    lines = [_model(key, group, plan) for key, group in found.items()]
    return tuple(sorted(lines, key=_by_difference))


def _model(
    key: tuple[str | None, str | None], group: Sequence[tuple[Row, Side, Side]], plan: Plan
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
