"""The report on carbon and water: ``values`` say it, ``builder`` makes it from a reader."""

from agenttrace.report.carbon.builder import carbon_report
from agenttrace.report.carbon.values import (
    CarbonReport,
    Marginal,
    Matched,
    MatchLine,
    PlaceLine,
    Resolutions,
)

__all__ = [
    "CarbonReport",
    "Marginal",
    "MatchLine",
    "Matched",
    "PlaceLine",
    "Resolutions",
    "carbon_report",
]
