"""The report on agents beside people: ``values`` say it, ``builder`` makes it from a reader."""

from agenttrace.report.compare.builder import compare_report
from agenttrace.report.compare.values import (
    CompareReport,
    Days,
    PersonaLine,
    PublishedLine,
    Ratios,
    Sentence,
    UserFacing,
)

__all__ = [
    "CompareReport",
    "Days",
    "PersonaLine",
    "PublishedLine",
    "Ratios",
    "Sentence",
    "UserFacing",
    "compare_report",
]
