"""A fleet of agents in years to come: ``values`` say it, ``builder`` makes it from a scenario."""

from agenttrace.report.projection.builder import Projected, projected
from agenttrace.report.projection.values import (
    AssumptionLine,
    Passing,
    ProjectedYear,
    ProjectionReport,
    SpreadLine,
)

__all__ = [
    "AssumptionLine",
    "Passing",
    "Projected",
    "ProjectedYear",
    "ProjectionReport",
    "SpreadLine",
    "projected",
]
