"""Let queries see some of what was recorded: a period, a workload, a project, some tasks."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from agenttrace.compare import periods
from agenttrace.compare.periods import Period
from agenttrace.model import Workload
from agenttrace.reader import Reader
from agenttrace.report.sums import held, quoted

_ANEW: Final = ("call_total", "task_total")  # whose rows may be stored, for everything


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
    """

    period: Period = periods.ALL
    workload: Workload | None = None
    project: str | None = None
    task_name: str | None = None
    agent: str | None = None

    @property
    def is_everything(self) -> bool:
        """Nothing is left out."""
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
        return ", ".join(f"{what} {name}" for what, name in named if name is not None)

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
        held(reader, **anew),
    ):
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
