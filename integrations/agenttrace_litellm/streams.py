"""The streams that LiteLLM has returned and not ended yet, by the id of the call."""

import threading
from collections import OrderedDict
from typing import Final

from agenttrace import Invocation, semconv

UNDER_WAY: Final = 1_024  # what is oldest beyond that was abandoned


class Streams:
    """The streams under way, as many as *limit*."""

    def __init__(self, limit: int = UNDER_WAY) -> None:
        self._limit = limit
        self._streams: OrderedDict[str, Invocation] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._streams)

    def add(self, call_id: str, invocation: Invocation) -> None:
        """Keep *invocation* until its stream ends; of too many, the oldest is given up."""
        with self._lock:
            before = self._streams.pop(call_id, None)
            self._streams[call_id] = invocation
            given_up = [before] if before is not None else []
            if len(self._streams) > self._limit:
                given_up.append(self._streams.popitem(last=False)[1])
        for one in given_up:
            _give_up(one)

    def pop(self, call_id: object) -> Invocation | None:
        """Take out a stream that has ended; None if it is not, or no longer, known."""
        with self._lock:
            return self._streams.pop(str(call_id), None)

    def give_up(self) -> None:
        """End all that are left."""
        with self._lock:
            left = list(self._streams.values())
            self._streams.clear()
        for one in left:
            _give_up(one)


def _give_up(invocation: Invocation) -> None:
    invocation.set({semconv.OUTCOME: "abandoned"})
    invocation.stop()


STREAMS: Final = Streams()
