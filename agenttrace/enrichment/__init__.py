"""Add what a call used to its span, for other back ends.

``attributes`` is for what has its own counts at hand, ``of_span`` for attributes of a span in
anybody's spelling, and ``processor`` does it in the process that makes the spans.
"""

from agenttrace.enrichment.estimating import Estimator, attributes
from agenttrace.enrichment.reading import of_span

__all__ = ["Estimator", "attributes", "of_span"]
