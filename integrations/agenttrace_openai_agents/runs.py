"""The traces and spans that are under way in this process, by their ids."""

import sys
from dataclasses import dataclass
from typing import Final

from agenttrace import Invocation
from agenttrace.integration import UnderWay


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


def give_up(run: Run) -> None:
    """End a run of which nobody said how it ended."""
    if run.recorded:
        run.invocation.abandon()


# Shared by all processors, so that a run is recorded once.
RUNS: Final[UnderWay[str, Run]] = UnderWay(give_up)
