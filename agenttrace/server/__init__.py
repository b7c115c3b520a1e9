"""Receive telemetry, keep what it says of model calls, and pass it on.

``running`` serves in threads of this process until it is left; ``find`` returns the receiver that
already runs for a home.
"""

from agenttrace.server.finding import Found, find
from agenttrace.server.running import Running, running

__all__ = ["Found", "Running", "find", "running"]
