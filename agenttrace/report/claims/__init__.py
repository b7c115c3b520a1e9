"""Claims on agents and electricity, each held against what was recorded.

``values`` say it, ``builder`` makes it from a reader. ``gathering`` asks the store for the
``facts``, and the other modules each answer some of the claims from these alone.
"""

from agenttrace.report.claims.builder import Asked, claims_report
from agenttrace.report.claims.values import ClaimLine, ClaimsReport, Finding

__all__ = ["Asked", "ClaimLine", "ClaimsReport", "Finding", "claims_report"]
