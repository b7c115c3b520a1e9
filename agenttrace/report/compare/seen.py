"""What one selection holds: its sums and draws, and who prompted in it."""

from dataclasses import dataclass
from typing import Final

from agenttrace.compare import ratios
from agenttrace.compare.what_if import Drawn
from agenttrace.reader import Reader
from agenttrace.report import selection as selections
from agenttrace.report import sums
from agenttrace.report.selection import Selection, selected
from agenttrace.report.sums import Row, held
from agenttrace.report.values import Coverage, Method, Totals

# The same question as in the report on everything, so the same query; a report on a part of the
# time spreads the days over another length.
_EQUIVALENTS: Final = """
SELECT
    human_equivalent.*,
    persona.class,
    persona.model,
    persona.cache_read_tokens,
    persona.year,
    persona.mark,
    persona.retrieved,
    persona_prompt.energy_low_wh AS prompt_low_wh,
    persona_prompt.energy_high_wh AS prompt_high_wh
FROM human_equivalent
INNER JOIN persona ON human_equivalent.persona = persona.id
INNER JOIN persona_prompt ON human_equivalent.persona = persona_prompt.id
ORDER BY human_equivalent.prompts_per_day, human_equivalent.persona
"""

# Which tasks are selected says task_sum: where only those with a name count, task_workload has them
# of all times.
_PEOPLE: Final = """
SELECT
    count(*) AS tasks,
    sum(task_workload.user_turns)::BIGINT AS prompts,
    count(*) FILTER (WHERE task_workload.user_turns IS NULL) AS uncounted_tasks,
    count(DISTINCT task_workload.user_hash) AS people,
    count(*) FILTER (WHERE task_workload.user_hash IS NULL) AS unnamed_tasks
FROM task_workload
WHERE task_workload.task_id IN (SELECT task_sum.task_id FROM task_sum)
"""

# A row of a task and hour may count less than nothing, so only their sum says whether it called.
_PERSON_DAYS: Final = """
SELECT count(*) AS person_days
FROM (
    SELECT DISTINCT
        task_workload.user_hash,
        date_trunc('day', called.hour) AS day
    FROM (
        SELECT
            call_rollup.task_id,
            call_rollup.hour
        FROM call_rollup
        GROUP BY call_rollup.task_id, call_rollup.hour
        HAVING sum(call_rollup.calls) > 0
    ) AS called
    INNER JOIN task_workload ON called.task_id = task_workload.task_id
    WHERE task_workload.user_hash IS NOT NULL
)
"""

_NAMED: Final = "FROM task_workload WHERE user_hash IS NOT NULL"


@dataclass(frozen=True, slots=True)
class People:
    """Who prompted in the tasks of a selection.

    Attributes:
        prompts: By people; None where nobody counted any.
        uncounted_tasks: Tasks of which nobody knows the prompts.
        people: Who prompted, each once.
        unnamed_tasks: Tasks that do not say who prompted.
        person_days: Days on which a person was answered, over the people.
    """

    prompts: int | None
    uncounted_tasks: int
    people: int
    unnamed_tasks: int
    person_days: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A selection.

    Attributes:
        first_started_at: Start of its first call.
        last_started_at: Start of its last.
        tasks: Its tasks, those without a model call included.
        totals: Sums over its calls.
        energy: Of its calls, with the draws; None where it is unknown.
        people: Who prompted.
        equivalents: Rows of ``human_equivalent``, with the rest of the persona.
        coverage: What the sums rest on.
        method: How energy was estimated.
        warnings: What to know before believing a figure.
    """

    first_started_at: str | None
    last_started_at: str | None
    tasks: int
    totals: Totals
    energy: Drawn | None
    people: People
    equivalents: tuple[Row, ...]
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]


def seen(reader: Reader, selection: Selection, *, named: bool = False) -> Seen:
    """Return what *selection* holds.

    Args:
        reader: An open reader.
        selection: Which calls.
        named: Only those of tasks that say who prompted.
    """
    if named:
        with held(reader, task_workload=_NAMED):
            return seen(reader, selection)
    with selected(reader, selection), held(reader, *sums.SHARED):
        (row,) = reader.query("totals")
        totals = sums.totals(reader)
        draws = (one["energy_wh"] for one in selections.draws(reader))
        return Seen(
            first_started_at=sums.moment(row["first_started_at"]),
            last_started_at=sums.moment(row["last_started_at"]),
            tasks=row["tasks"],
            totals=totals,
            energy=ratios.drawn(totals.energy_wh.central if totals.energy_wh else None, draws),
            people=_people(reader),
            equivalents=tuple(reader.query(_EQUIVALENTS)),
            coverage=sums.coverage(reader),
            method=sums.method(reader),
            warnings=sums.warnings(reader),
        )


def _people(reader: Reader) -> People:
    (row,) = reader.query(_PEOPLE)
    (days,) = reader.query(_PERSON_DAYS) if row["people"] else ({"person_days": 0},)
    return People(
        prompts=row["prompts"],
        uncounted_tasks=row["uncounted_tasks"],
        people=row["people"],
        unnamed_tasks=row["unnamed_tasks"],
        person_days=days["person_days"],
    )
