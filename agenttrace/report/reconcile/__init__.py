"""The report on what sources say of a session: ``values`` say it, ``builder`` makes it."""

from agenttrace.report.reconcile.builder import reconcile_report
from agenttrace.report.reconcile.values import (
    Kinds,
    Own,
    ReconcileReport,
    Role,
    Said,
    SessionLine,
)

__all__ = [
    "Kinds",
    "Own",
    "ReconcileReport",
    "Role",
    "Said",
    "SessionLine",
    "reconcile_report",
]
