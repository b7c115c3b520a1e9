"""The report on what became of tasks: ``values`` say it, ``builder`` makes it from a reader."""

from agenttrace.report.outcomes.builder import outcomes_report
from agenttrace.report.outcomes.values import (
    AttemptLine,
    By,
    GroupLine,
    Moved,
    OutcomeLine,
    OutcomesReport,
    Unsuccessful,
)

__all__ = [
    "AttemptLine",
    "By",
    "GroupLine",
    "Moved",
    "OutcomeLine",
    "OutcomesReport",
    "Unsuccessful",
    "outcomes_report",
]
