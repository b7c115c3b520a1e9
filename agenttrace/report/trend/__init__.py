"""Report on why energy and carbon changed from one period to another, and who drove it."""

from agenttrace.report.trend.builder import DEFAULT_BY, trend
from agenttrace.report.trend.values import Trend

__all__ = ["DEFAULT_BY", "Trend", "trend"]
