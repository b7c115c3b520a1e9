"""The traces and spans that are under way in this process, by their ids."""

import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from agenttrace import Invocation

UNDER_WAY: Final = 16_384  # what is longest unused beyond that was abandoned


@dataclass(slots=True, eq=False)
class Run:
    """A trace or a span, and the invocation that it stands in.

    Attributes:
        invocation: What it is recorded as; that of what is around if it is not recorded itself.
        recorded: The invocation is its own.
        handled: The exception that was being handled when it began, so was none of its own.
    """

    invocation: Invocation
    recorded: bool = False
    handled: BaseException | None = None

    @classmethod
    def attached(cls, invocation: Invocation) -> "Run":
        """Make *invocation* current until the end, which may be told in another context."""
        invocation.attach(loose=True)
        return cls(invocation, recorded=True, handled=sys.exception())

    def detach(self) -> None:
        """Restore what was current before, if this changed it."""
        if self.recorded:
            self.invocation.detach()


class Runs:
    """The runs under way, as many as *limit*."""

    def __init__(self, limit: int = UNDER_WAY) -> None:
        self._limit = limit
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, key: str) -> bool:
        return key in self._runs

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, key: str, run: Run) -> None:
        """Keep *run* until its end; if there are too many, the one longest unused is given up."""
        given_up = None
        with self._lock:
            self._runs[key] = run
            if len(self._runs) > self._limit:
                _, given_up = self._runs.popitem(last=False)
        if given_up is not None and given_up.recorded:
            given_up.invocation.fail("abandoned")

    def around(self, key: str | None) -> Run | None:
        """Find the run that another one begins in, and note that it is in use."""
        if key is None:
            return None
        with self._lock:
            found = self._runs.get(key)
            if found is not None:
                self._runs.move_to_end(key)
        return found

    def pop(self, key: str) -> Run | None:
        """Take out a run that has ended; None if it is not, or no longer, known."""
        with self._lock:
            return self._runs.pop(key, None)


RUNS: Final = Runs()  # shared by all processors, so that a run is recorded once
