"""What has begun and not ended yet, as much of it as fits a limit."""

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

LIMIT: Final = 16_384

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class UnderWay(Generic[K, V]):
    """What a framework has begun and not ended yet, by its own id; for use from many threads.

    A framework does not tell the end of everything, so when there is too much, what is longest
    unused is given up.
    """

    def __init__(self, give_up: Callable[[V], None], limit: int = LIMIT) -> None:
        """Keep nothing yet.

        Args:
            give_up: Ends one of which nobody has said how it ended.
            limit: How many are kept.
        """
        self._give_up = give_up
        self._limit = limit
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._renew_lock()
        _all.add(self)

    def _renew_lock(self) -> None:
        # A finalizer may run while its own thread is in here, and lead back.
        self._lock = threading.RLock()

    def __contains__(self, key: K) -> bool:
        return key in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, key: K, value: V) -> None:
        """Keep *value* until its end; what began under the same *key* before is given up."""
        with self._lock:
            given_up = [self._kept.pop(key)] if key in self._kept else []
            self._kept[key] = value
            if len(self._kept) > self._limit:
                given_up.append(self._kept.popitem(last=False)[1])
        # Outside of the lock: to end something may write it, and lead back here.
        for one in given_up:
            self._give_up(one)

    def get(self, key: K | None) -> V | None:
        """Return what began under *key*; None if that has ended, or was given up."""
        return None if key is None else self._kept.get(key)

    def use(self, key: K | None) -> V | None:
        """Return what began under *key*, and note that it is in use: something begins in it."""
        if key is None:
            return None
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def pop(self, key: K | None) -> V | None:
        """Take out what has ended; None if it is not, or no longer, known."""
        with self._lock:
            return None if key is None else self._kept.pop(key, None)

    def values(self) -> list[V]:
        """Return all, longest unused first."""
        with self._lock:
            return list(self._kept.values())

    def clear(self) -> None:
        """Give up all, latest first: nobody will say how they end."""
        with self._lock:
            left = list(self._kept.values())
            self._kept.clear()
        for one in reversed(left):
            self._give_up(one)


_all: Final[weakref.WeakSet[UnderWay[Any, Any]]] = weakref.WeakSet()


def _after_fork() -> None:
    # Another thread of the parent may have held them.
    for one in list(_all):
        one._renew_lock()  # noqa: SLF001 - same module  # pyright: ignore[reportPrivateUsage]


os.register_at_fork(after_in_child=_after_fork)
