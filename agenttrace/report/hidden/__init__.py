"""The report on hidden calls: ``values`` say it, ``builder`` makes it from a reader."""

from agenttrace.report.hidden.builder import hidden_report
from agenttrace.report.hidden.values import (
    By,
    FanOut,
    Frame,
    Group,
    HiddenReport,
    Layer,
    Line,
    Spread,
    TurnLine,
)

__all__ = [
    "By",
    "FanOut",
    "Frame",
    "Group",
    "HiddenReport",
    "Layer",
    "Line",
    "Spread",
    "TurnLine",
    "hidden_report",
]
