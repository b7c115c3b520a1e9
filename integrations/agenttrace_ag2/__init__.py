"""Record AG2: agents, sub-agents, tools and compaction.

For every run of the process:

    agenttrace.instrument("ag2")
"""

from agenttrace_ag2.instrumentor import Ag2Instrumentor

__all__ = ["Ag2Instrumentor"]
