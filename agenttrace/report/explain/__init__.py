"""An estimate taken apart: ``values`` say it, ``builder`` makes it from a reader."""

from agenttrace.report.explain.builder import explanation
from agenttrace.report.explain.values import (
    Cited,
    Driver,
    Explanation,
    FactorLine,
    ModelPart,
    PlaceLine,
    Term,
)

__all__ = [
    "Cited",
    "Driver",
    "Explanation",
    "FactorLine",
    "ModelPart",
    "PlaceLine",
    "Term",
    "explanation",
]
