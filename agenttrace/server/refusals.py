"""Why a request is refused, in the words of both protocols.

A client that is told to try again later keeps what it has (the OTLP specification, "Failures"): 429
and 503 with ``Retry-After``, RESOURCE_EXHAUSTED and UNAVAILABLE with ``RetryInfo``. Everything else
it must drop.
"""

from dataclasses import dataclass
from typing import Final

# google.rpc.Code
INVALID_ARGUMENT: Final = 3
PERMISSION_DENIED: Final = 7
RESOURCE_EXHAUSTED: Final = 8
INTERNAL: Final = 13
UNAVAILABLE: Final = 14
UNAUTHENTICATED: Final = 16

SOON_SECONDS: Final = 1
LATER_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Why:
    """A refusal.

    Attributes:
        reason: In a word or two, to count by.
        message: For the client; nothing of what it sent is in it.
        status: Of HTTP.
        code: Of gRPC.
        retry_s: Seconds after which to try again; None if there is no use in that.
    """

    reason: str
    message: str
    status: int
    code: int
    retry_s: int | None = None


class RefusedError(Exception):
    """A request is refused; nothing of it is kept that will not be sent again."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.reason)
        self.why = why


MALFORMED: Final = Why(
    "malformed", "The body is no OTLP request of its content type.", 400, INVALID_ARGUMENT
)
BROKEN_PACKING: Final = Why("broken packing", "The body cannot be unpacked.", 400, INVALID_ARGUMENT)
TIMEOUT: Final = Why("too slow", "The body did not arrive in time.", 408, UNAVAILABLE, SOON_SECONDS)
CONTENT_TYPE: Final = Why(
    "content type",
    "Send application/x-protobuf or application/json.",
    415,
    INVALID_ARGUMENT,
)
CONTENT_ENCODING: Final = Why(
    "content encoding", "Send gzip, deflate, or no encoding.", 415, INVALID_ARGUMENT
)
UNKNOWN_HOST: Final = Why(
    "unknown host",
    "This receiver answers to localhost only. To be reached by another name it needs --host.",
    421,
    PERMISSION_DENIED,
)
NO_TOKEN: Final = Why(
    "no token",
    "Send the receiver's token: Authorization: Bearer TOKEN.",
    401,
    UNAUTHENTICATED,
)
FULL: Final = Why(
    "queue full",
    "Too much is waiting for the disk. Try again.",
    429,
    RESOURCE_EXHAUSTED,
    SOON_SECONDS,
)
STOPPING: Final = Why("stopping", "The receiver is stopping.", 503, UNAVAILABLE, SOON_SECONDS)
SPOOL_FULL: Final = Why(
    "spool full",
    "The spool holds as much as it may. Fold it (agenttrace store fold), or raise its limit.",
    503,
    UNAVAILABLE,
    LATER_SECONDS,
)
DISK: Final = Why(
    "disk refuses", "The disk refuses. Make room on it.", 503, UNAVAILABLE, LATER_SECONDS
)
FAILED: Final = Why("failed", "The receiver failed at this request.", 500, INTERNAL)


def too_large(most: int) -> Why:
    """Refuse a body of more than *most* bytes."""
    return Why("too large", f"At most {most} bytes are taken.", 413, INVALID_ARGUMENT)
