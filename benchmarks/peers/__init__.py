"""Other tracers as plug-ins of ``agenttrace conformance``.

In an environment that has a tracer and the SDKs installed, and agenttrace::

    agenttrace conformance --tracer benchmarks.peers:OpenInference

A peer's calls are what it records as such: every span that says it is a model call is one, as in a
view that sums over spans. Tasks, agents and tools are spans of the GenAI conventions around the
code; a call belongs to the nearest one above it.
"""

from benchmarks.peers.callbacks import LangChainUsage
from benchmarks.peers.spans import Contrib, GenAI, Logfire, OpenInference, OpenLLMetry

__all__ = ["Contrib", "GenAI", "LangChainUsage", "Logfire", "OpenInference", "OpenLLMetry"]
