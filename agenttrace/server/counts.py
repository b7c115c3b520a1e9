"""What a receiver has received since it began, for its health and its metrics."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Final

REASONS_AT_MOST: Final = 50  # told apart; whatever else is refused counts as other

Key = tuple[str, ...]


class Counts:
    """Counters that only go up, by their labels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[Key] = Counter()
        self._bytes: Counter[Key] = Counter()
        self._records: Counter[Key] = Counter()
        self._rejected: Counter[Key] = Counter()

    def accepted(
        self, signal: str, transport: str, size: int, taken: int, rejected: Mapping[str, int]
    ) -> None:
        """Count a request that was acknowledged."""
        with self._lock:
            self._requests[signal, transport, "accepted"] += 1
            self._bytes[signal, transport] += size
            self._records[(signal,)] += taken
            for reason, number in rejected.items():
                self._rejected[self._bounded((signal, reason))] += number

    def refused(self, signal: str, transport: str, reason: str) -> None:
        """Count a request that was refused."""
        with self._lock:
            self._requests[signal, transport, reason] += 1

    @property
    def requests(self) -> Counter[Key]:
        """By signal, transport and what became of them."""
        with self._lock:
            return self._requests.copy()

    @property
    def bytes(self) -> Counter[Key]:
        """Bytes as they were sent, by signal and transport."""
        with self._lock:
            return self._bytes.copy()

    @property
    def records(self) -> Counter[Key]:
        """Spans, log records and data points that were taken, by signal."""
        with self._lock:
            return self._records.copy()

    @property
    def rejected(self) -> Counter[Key]:
        """Those that were not, by signal and reason."""
        with self._lock:
            return self._rejected.copy()

    def _bounded(self, key: tuple[str, str]) -> Key:
        if key in self._rejected or len(self._rejected) < REASONS_AT_MOST:
            return key
        return (key[0], "other")
