"""How much a receiver takes on at once."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may be, and what all of them together may hold.

    Attributes:
        body_bytes: Of one body, as it is sent.
        unpacked_bytes: Of one body, unpacked.
        waiting_bytes: Of all bodies that are read or wait for the disk, packed and unpacked.
        waiting_requests: Requests that are read or wait for the disk.
        body_seconds: For a body to arrive in.
        calls_at_once: gRPC calls that are worked on; others wait in the network's buffers.
    """

    body_bytes: int = 16 * MIB
    unpacked_bytes: int = 32 * MIB
    waiting_bytes: int = 128 * MIB
    waiting_requests: int = 1024
    body_seconds: float = 30.0
    calls_at_once: int = 32
