"""What an export of activity says, as plain values.

Units are in the names. ``None`` is what is not known, never zero.
"""

from dataclasses import dataclass
from typing import Final

from agenttrace.model import Range, Table
from agenttrace.report.carbon.values import MatchLine
from agenttrace.report.explain.values import FactorLine, ModelPart, PlaceLine
from agenttrace.report.intensity import Intensity
from agenttrace.report.values import Coverage, Method, Totals

FORMAT: Final = 1
"""Version of the columns and of what is said about them; it rises when either changes."""

TABLES: Final = ("activity", "workflow")


@dataclass(frozen=True, slots=True)
class Sci:
    """Software carbon intensity of workflow executions: (E * I + M) / R.

    ISO/IEC 21031:2024 has the formula; the draft of SCI for AI (Green Software Foundation) counts
    agentic AI per execution. It is the consumer's: training and the making of models are not in it.

    Attributes:
        operational_g: E * I, location-based, grams of CO2 equivalent.
        embodied_g: M, the making of the hardware; None where nothing is known of it.
        embodied_calls: Calls that M is known for.
        executions: R: tasks that made a model call in the month.
        per_execution: The score; None where E * I or M is not known.
    """

    operational_g: Range | None
    embodied_g: Range | None
    embodied_calls: int
    executions: int
    per_execution: Intensity | None


@dataclass(frozen=True, slots=True)
class Meta:
    """What was exported, and how: enough to do it again.

    Attributes:
        format: Version of this form.
        agenttrace: Version of agenttrace that wrote it.
        exported_at: When, UTC, ISO 8601.
        period: Which months.
        workload: Only tasks of this workload.
        project: Only tasks of this project.
        task_name: Only tasks of this name.
        agent: Only tasks in which this agent made a call.
        region: Place taken for calls of which nothing tells one.
        boundary: What the energy covers.
        factor_version: Version of all factors together.
        rows: Rows of each table, by its name.
        sha256: Hash over the canonical rows of each table, by its name.
    """

    format: int
    agenttrace: str
    exported_at: str
    period: str
    workload: str | None
    project: str | None
    task_name: str | None
    agent: str | None
    region: str | None
    boundary: str
    factor_version: str
    rows: dict[str, int]
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class Activity:
    """The activity of one or several months, row by row, and what the rows rest on.

    Attributes:
        meta: What was exported, and how.
        activity: One row per month, workload, provider, model, region and kind of token.
        workflow: One row per month, workload and project.
        columns: What each column means, by table.
        first_started_at: Start of the first call.
        last_started_at: Start of the last call.
        totals: Sums over the same calls, as ``agenttrace report`` has them.
        coverage: What the totals rest on.
        method: How they were estimated.
        models: The models, most energy first.
        factors: Every factor that the energy hangs on.
        places: Where calls ran.
        matching: Zones and years of which certificates or residual mixes are known.
        embodied_source: Where the embodied carbon is from.
        embodied_ignores: What is not in it.
        warnings: What to know before believing a figure.
    """

    meta: Meta
    activity: Table
    workflow: Table
    columns: dict[str, dict[str, str]]
    first_started_at: str | None
    last_started_at: str | None
    totals: Totals
    coverage: Coverage
    method: Method
    models: tuple[ModelPart, ...]
    factors: tuple[FactorLine, ...]
    places: tuple[PlaceLine, ...]
    matching: tuple[MatchLine, ...]
    embodied_source: str
    embodied_ignores: str
    warnings: tuple[str, ...]

    @property
    def tables(self) -> dict[str, Table]:
        """The rows by the name of their table."""
        return {"activity": self.activity, "workflow": self.workflow}
