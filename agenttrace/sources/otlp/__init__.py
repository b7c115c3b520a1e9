"""OTLP: what other programs send, in the spelling of each.

:func:`decode` makes a message of what arrived, and :func:`read` makes lines of the spool of the
message. Both keep no state and may be called from any thread.
"""

from agenttrace.sources.otlp.decoding import (
    JSON,
    PROTOBUF,
    SIZE_AT_MOST,
    MalformedError,
    Request,
    Signal,
    decode,
)
from agenttrace.sources.otlp.reading import Read, read

__all__ = [
    "JSON",
    "PROTOBUF",
    "SIZE_AT_MOST",
    "MalformedError",
    "Read",
    "Request",
    "Signal",
    "decode",
    "read",
]
