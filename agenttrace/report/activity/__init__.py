"""Activity by month, to be handed on: rows, what they rest on, and a hash to check them by."""

from agenttrace.report.activity.builder import activity, check_months
from agenttrace.report.activity.values import Activity, Meta

__all__ = ["Activity", "Meta", "activity", "check_months"]
