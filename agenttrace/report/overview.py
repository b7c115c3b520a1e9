"""Build the report on everything in a store."""

from collections.abc import Iterator
from typing import Final

from agenttrace.coding_agents import CODING_AGENTS
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.selection import WHOLE_TASKS
from agenttrace.report.sums import Row, held
from agenttrace.report.values import Equivalent, ModelLine, Overview, RoleLine, TaskLine, Unseen

_LARGEST: Final = """
SELECT task_moments.task_id
FROM task_moments
GROUP BY task_moments.task_id
ORDER BY sum(task_moments.energy_wh) DESC NULLS LAST, task_moments.task_id
LIMIT $1
"""

# Ranges cost a product per task and draw, so only the tasks that are shown are given theirs.
_TASKS: Final = """
SELECT
    shown.*,
    task_fact.task_name,
    coalesce(task_fact.is_cut_off, FALSE) AS is_cut_off,
    task_energy.energy_wh,
    task_energy.energy_low_wh,
    task_energy.energy_high_wh
FROM (
    SELECT
        task_total.task_id,
        min(task_total.first_started_at) AS started_at,
        sum(task_total.calls)::BIGINT AS calls,
        sum(task_total.hidden_calls)::BIGINT AS hidden_calls,
        sum(task_total.estimated_calls)::BIGINT AS estimated_calls,
        CASE
            WHEN sum(task_total.total_tokens_calls) > 0 THEN sum(task_total.total_tokens)
        END::BIGINT AS total_tokens
    FROM task_total
    {which}
    GROUP BY task_total.task_id
) AS shown
INNER JOIN task_fact ON shown.task_id = task_fact.task_id
INNER JOIN task_energy ON shown.task_id = task_energy.task_id
ORDER BY task_energy.energy_wh DESC NULLS LAST, shown.task_id
"""

_ROLES: Final = """
SELECT
    role_tokens.role,
    role_tokens.calls,
    role_tokens.hidden_calls,
    role_tokens.total_tokens,
    role_tokens.estimated_calls,
    role_energy.energy_wh,
    role_energy.energy_wh / nullif(sum(role_energy.energy_wh) OVER (), 0) AS energy_share
FROM role_tokens
INNER JOIN role_energy ON role_tokens.role = role_energy.role
ORDER BY role_energy.energy_wh DESC NULLS LAST, role_tokens.role
"""

_MODELS: Final = """
SELECT
    model_energy.*,
    model_tokens.total_tokens,
    model_tokens.estimated_calls
FROM model_energy
INNER JOIN model_tokens
    ON
        model_energy.provider IS NOT DISTINCT FROM model_tokens.provider
        AND model_energy.model IS NOT DISTINCT FROM model_tokens.model
ORDER BY model_energy.energy_wh DESC NULLS LAST, model_energy.provider, model_energy.model
"""

_EQUIVALENTS: Final = """
SELECT
    human_equivalent.*,
    persona.class,
    persona.model,
    persona.year
FROM human_equivalent
INNER JOIN persona ON human_equivalent.persona = persona.id
ORDER BY human_equivalent.prompts_per_day, human_equivalent.persona
"""
_LOGGED: Final = """
SELECT
    told.service_name,
    sum(call_sum.calls)::BIGINT AS calls
FROM call_sum
INNER JOIN {tasks} AS told ON call_sum.task_id = told.task_id
WHERE call_sum.capture = 'log'
GROUP BY told.service_name
HAVING sum(call_sum.calls) > 0
ORDER BY calls DESC, told.service_name
"""

_OF_TASKS: Final = ("task_total", "task_sum", "task_moments")


def overview(reader: Reader, *, limit: int = 10) -> Overview:
    """Report on everything that *reader* reads.

    Args:
        reader: An open reader.
        limit: How many of the largest tasks to list.
    """
    top_tasks = _largest(reader, limit)
    with held(reader, "call_total", *sums.SHARED):
        (row,) = reader.query("totals")
        return Overview(
            store=str(reader.home),
            first_started_at=sums.moment(row["first_started_at"]),
            last_started_at=sums.moment(row["last_started_at"]),
            tasks=row["tasks"],
            totals=sums.totals(reader),
            equivalents=tuple(map(_equivalent, reader.query(_EQUIVALENTS))),
            roles=tuple(map(_role, reader.query(_ROLES))),
            models=tuple(map(_model, reader.query(_MODELS))),
            top_tasks=top_tasks,
            coverage=sums.coverage(reader),
            method=sums.method(reader),
            warnings=sums.warnings(reader),
            unseen=tuple(_unseen(reader)),
        )


def _unseen(reader: Reader) -> Iterator[Unseen]:
    """Yield what the logs of programs cannot know, where calls from those logs count."""
    # Who told of a task goes by the task as it was recorded, whatever is taken for one.
    tasks = WHOLE_TASKS if sums.is_held(reader, WHOLE_TASKS) else "task_fact"
    for row in reader.query(_LOGGED.format(tasks=tasks)):
        known = CODING_AGENTS.get(row["service_name"])
        if known is not None and known.lacks is not None:
            yield Unseen(known.name, known.title, row["calls"], known.lacks, known.way)


def _largest(reader: Reader, limit: int) -> tuple[TaskLine, ...]:
    ids = [row["task_id"] for row in reader.query(_LARGEST, [limit])]
    if not ids:
        return ()
    which = f"WHERE task_id IN ({', '.join(map(sums.quoted, ids))})"
    # Where tasks were put together, these are held already.
    names = [name for name in _OF_TASKS if not sums.is_held(reader, name)]
    with held(reader, **{name: f"FROM {name} {which}" for name in names}):
        return tuple(map(_task, reader.query(_TASKS.format(which=which))))


def _task(row: Row) -> TaskLine:
    return TaskLine(
        task_id=row["task_id"],
        name=row["task_name"],
        is_cut_off=row["is_cut_off"],
        started_at=f"{row['started_at'].isoformat()}Z",
        calls=row["calls"],
        hidden_calls=row["hidden_calls"],
        tokens=row["total_tokens"],
        estimated_calls=row["estimated_calls"],
        energy_wh=sums.energy_wh(row),
    )


def _role(row: Row) -> RoleLine:
    return RoleLine(
        role=row["role"],
        calls=row["calls"],
        hidden_calls=row["hidden_calls"],
        tokens=row["total_tokens"],
        estimated_calls=row["estimated_calls"],
        energy_wh=row["energy_wh"],
        energy_share=row["energy_share"],
    )


def _model(row: Row) -> ModelLine:
    return ModelLine(
        provider=row["provider"],
        model=row["model"],
        calls=row["calls"],
        tokens=row["total_tokens"],
        estimated_calls=row["estimated_calls"],
        energy_wh=sums.energy_wh(row),
        model_class=row["class"],
        known=row["known"],
        match_reason=row["match_reason"],
    )


def _equivalent(row: Row) -> Equivalent:
    by_tokens = row["user_days_by_tokens"]
    return Equivalent(
        persona=row["persona"],
        name=row["name"],
        prompts_per_day=row["prompts_per_day"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        model_class=row["class"],
        model=row["model"],
        user_days=sums.spread(row["user_days_low"], row["user_days"], row["user_days_high"]),
        user_days_by_tokens=by_tokens,
        days=row["days"],
        users=sums.spread(row["users_low"], row["users"], row["users_high"]),
        users_by_tokens=None if by_tokens is None else by_tokens / row["days"],
        title=row["title"],
        year=row["year"],
        url=row["url"],
    )
