"""What the provider billed: one line per attempt it worked on."""

import threading
import time
from dataclasses import asdict, replace

from agenttrace.testing.values import Billed, Outcome, Tokens, Usage


class Line:
    """One attempt while it is being worked on."""

    def __init__(self, billed: Billed, settled: threading.Condition) -> None:
        self._settled = settled
        self.billed = billed

    def note(self, tokens: Tokens | None = None, usage: Usage | None = None) -> None:
        """Note what has been generated so far, and what of it has been reported."""
        with self._settled:
            if tokens is not None:
                self.billed = replace(self.billed, **asdict(tokens))
            if usage is not None:
                self.billed = replace(self.billed, usage=usage)

    def close(self, outcome: Outcome) -> None:
        """Say how the attempt ended; what has been noted is what is billed."""
        with self._settled:
            self.billed = replace(self.billed, outcome=outcome)
            self._settled.notify_all()


class Ledger:
    """All lines, in the order in which the work began."""

    def __init__(self) -> None:
        self._settled = threading.Condition()
        self._lines: list[Line] = []

    def open(self, billed: Billed) -> Line:
        """Begin a line; *billed* is what is known before the work."""
        line = Line(billed, self._settled)
        with self._settled:
            self._lines.append(line)
        return line

    def read(self, patience_s: float) -> tuple[Billed, ...]:
        """Return all lines, waiting up to *patience_s* for those still open to end.

        A client that has just left a stream is noticed a moment later; waiting makes what a test
        reads next the same every time.
        """
        deadline = time.monotonic() + patience_s
        with self._settled:
            lines = list(self._lines)
            while any(line.billed.outcome == "open" for line in lines):
                if not self._settled.wait(deadline - time.monotonic()):
                    break
            return tuple(line.billed for line in lines)
