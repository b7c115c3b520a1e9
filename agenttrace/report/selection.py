"""Let queries see some of what was recorded: a period, a workload, a project, some tasks.

And let them take something else for a task than what was stored as one.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, get_args

from agenttrace.compare import periods
from agenttrace.compare.periods import Period
from agenttrace.model import Workload
from agenttrace.reader import Reader
from agenttrace.report.sums import held, quoted

Grouping = Literal["turn", "session", "branch", "day"]
"""What is taken for a task: each as it was stored, or all of a conversation, branch or day."""

GROUPINGS: Final[tuple[Grouping, ...]] = get_args(Grouping)

WHOLE_TASKS: Final = "whole_task"
"""Where tasks are put together: the ids of those that were, with what ``fan_out`` looks for."""

_ANEW: Final = ("call_total", "task_total")  # whose rows may be stored, for everything

_LABELS: Final[dict[Grouping, str]] = {
    "session": "task_fact.session_id",
    "branch": (
        "concat_ws(' ', coalesce(task_fact.project, task_fact.service_name), task_fact.branch)"
    ),
    "day": "strftime(make_timestamp(task_fact.start_ns // 1000), '%Y-%m-%d')",
}
_KNOWN: Final = {"branch": "task_fact.branch IS NOT NULL"}

# A task that says nothing of it stays by itself.
_GROUPS: Final = """
SELECT
    found.task_id,
    found.label,
    coalesce(md5($grouping || ' ' || found.label), found.task_id) AS group_id
FROM (
    SELECT
        task_fact.task_id,
        CASE WHEN {known} THEN {label} END AS label
    FROM task_fact
    INNER JOIN selected_task ON task_fact.task_id = selected_task.task_id
) AS found
"""

_REGROUP: Final = """
UPDATE {name}
SET {set}
FROM task_groups
WHERE {name}.task_id = task_groups.task_id AND task_groups.label IS NOT NULL
"""
_OF_GROUP: Final = "task_id = task_groups.group_id"
_REGROUPED: Final = {
    "call_rollup": _OF_GROUP,
    "measured_sum": _OF_GROUP,
    "task_sum": f"{_OF_GROUP}, task_name = {{'at': task_sum.start_ns, 'says': task_groups.label}}",
}
"""What changes in the tables that are held, by their names."""

# Where nobody says how many prompts there were, that goes by the task as it was recorded.
_TURNS: Final = """
SELECT
    task_groups.group_id AS task_id,
    sum(task_workload.user_turns)::BIGINT AS user_turns,
    CASE
        WHEN bool_and(task_workload.user_turns_from = 'recorded') THEN 'recorded'
        ELSE 'default'
    END AS user_turns_from
FROM task_workload
INNER JOIN task_groups ON task_workload.task_id = task_groups.task_id
GROUP BY task_groups.group_id
"""

_WORKLOADS: Final = """
SELECT
    task_workload.* REPLACE (
        group_turns.user_turns AS user_turns,
        group_turns.user_turns_from AS user_turns_from
    )
FROM task_workload
INNER JOIN group_turns ON task_workload.task_id = group_turns.task_id
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which calls a report is on; what is None is not asked.

    Tasks are taken whole, and of them the calls that started in the period.

    Attributes:
        period: When the calls started.
        workload: Of their tasks.
        project: Of their tasks; the service where no project is told.
        task_name: Of their tasks.
        agent: One that made a call in their tasks, whatever else did.
        grouping: What is taken for a task, once it is known which calls are seen and are hidden.
    """

    period: Period = periods.ALL
    workload: Workload | None = None
    project: str | None = None
    task_name: str | None = None
    agent: str | None = None
    grouping: Grouping = "turn"

    @property
    def is_everything(self) -> bool:
        """Nothing is left out, and tasks are as they were stored."""
        return self == Selection()

    @property
    def tasks(self) -> str:
        """Whose tasks, in words; empty where that is not asked."""
        named = (
            ("workload", self.workload),
            ("project", self.project),
            ("task", self.task_name),
            ("agent", self.agent),
        )
        words = [f"{what} {name}" for what, name in named if name is not None]
        return ", ".join([*words, *self._grouped()])

    def _grouped(self) -> list[str]:
        return [] if self.grouping == "turn" else [f"one task for each {self.grouping}"]

    def __str__(self) -> str:
        return f"{self.tasks}, period {self.period}".removeprefix(", ")


@contextmanager
def selected(reader: Reader, selection: Selection) -> Generator[None]:
    """Let queries see no other calls and tasks than those of *selection*.

    Which calls count, and which of them are hidden, is decided over everything recorded. A task is
    seen where it made a call in the period, or began in it. Selections do not nest.

    Args:
        reader: An open reader.
        selection: What is seen.
    """
    if selection.is_everything:
        with held(reader, "call_total"):
            yield
        return
    below = () if reader.is_rolled_up else ("counted_call",)
    hours = _hours("hour", selection.period)
    calls = f"{hours} AND task_id IN (SELECT task_id FROM selected_task)"
    tasks = (
        "task_id IN (SELECT task_id FROM selected_task) AND ("
        "task_id IN (SELECT task_id FROM call_rollup GROUP BY task_id HAVING sum(calls) > 0) "
        f"OR {_hours('make_timestamp(start_ns // 1000)', selection.period)})"
    )
    anew = {name: reader.queries[name].sql for name in _ANEW}
    with (
        held(reader, *below),
        held(reader, selected_task=_tasks(selection)),
        held(
            reader,
            call_rollup=f"FROM call_rollup WHERE {calls}",
            measured_sum=f"FROM measured_sum WHERE {calls}",
        ),
        held(reader, task_sum=f"FROM task_sum WHERE {tasks}"),
        _regrouped(reader, selection.grouping),
        held(reader, **anew),
    ):
        yield


@contextmanager
def _regrouped(reader: Reader, grouping: Grouping) -> Generator[None]:
    """Let queries take all tasks of a conversation, a branch or a day for one."""
    if grouping == "turn":
        yield
        return
    groups = _GROUPS.format(known=_KNOWN.get(grouping, "TRUE"), label=_LABELS[grouping])
    with (
        held(reader, task_groups=groups.replace("$grouping", quoted(grouping))),
        held(reader, **{WHOLE_TASKS: "FROM task_fact", "group_turns": _TURNS}),
    ):
        for name, change in _REGROUPED.items():
            reader.query(_REGROUP.format(name=name, set=change))
        with held(reader, task_workload=_WORKLOADS):
            yield


def extent(reader: Reader) -> Period | None:
    """Return the whole hours from the first call that *reader* shows to the last; None if none."""
    (row,) = reader.query("FROM totals SELECT first_started_at, last_started_at")
    if row["first_started_at"] is None:
        return None
    return periods.whole_hours(row["first_started_at"], row["last_started_at"])


def draws(reader: Reader) -> list[dict[str, float]]:
    """Return the draws of everything *reader* shows, in order: energy_wh, carbon_g and water_l.

    Draw i has the same shared constants in every selection, so what two have in common cancels in
    a ratio of the two.
    """
    return reader.query("SELECT energy_wh, carbon_g, water_l FROM total_draw ORDER BY draw")


def _tasks(selection: Selection) -> str:
    wanted = {
        "workload": selection.workload,
        "project": selection.project,
        "task_name": selection.task_name,
    }
    conditions = [
        f"{column} = {quoted(name)}" for column, name in wanted.items() if name is not None
    ]
    if selection.agent is not None:
        agent = f"SELECT task_id FROM call_rollup WHERE agent = {quoted(selection.agent)}"
        conditions.append(f"task_id IN ({agent})")
    which = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT task_id FROM task_workload{which}"


def _hours(column: str, period: Period) -> str:
    conditions = ["TRUE"]
    if period.start is not None:
        conditions.append(f"{column} >= TIMESTAMP {quoted(period.start.isoformat(' '))}")
    if period.end is not None:
        conditions.append(f"{column} < TIMESTAMP {quoted(period.end.isoformat(' '))}")
    return " AND ".join(conditions)
