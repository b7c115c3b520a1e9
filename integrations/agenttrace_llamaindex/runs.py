"""The LlamaIndex spans that are under way in this process, by span id."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from agenttrace import Invocation

UNDER_WAY: Final = 16_384  # what is longest unused beyond that was abandoned


@dataclass(slots=True, eq=False)
class Run:
    """One span, and the invocation that it stands in.

    Attributes:
        invocation: What it is recorded as; that of a span around it if it is not recorded itself.
        recorded: The invocation is this span's own.
        attached: This span made the invocation current, so its end undoes that.
        is_workflow: The spans directly inside are steps of a workflow.
        is_agent: It is the workflow of a single agent.
        is_team: It is a workflow of several agents.
        agent: The one of them that has the turn.
    """

    invocation: Invocation | None
    recorded: bool = False
    attached: bool = False
    is_workflow: bool = False
    is_agent: bool = False
    is_team: bool = False
    agent: Invocation | None = None

    def attach(self) -> None:
        """Make the invocation current until the end of this span."""
        if self.invocation is not None:
            self.attached = True
            self.invocation.attach()

    def detach(self) -> None:
        """Restore what was current before, if this span changed it."""
        if self.attached and self.invocation is not None:
            self.invocation.detach()


class Runs:
    """The spans under way, as many as *limit*."""

    def __init__(self, limit: int = UNDER_WAY) -> None:
        self._limit = limit
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, span_id: str, run: Run) -> None:
        """Keep *run* until its end; if there are too many, the one longest unused is given up."""
        given_up = None
        with self._lock:
            self._runs[span_id] = run
            if len(self._runs) > self._limit:
                _, given_up = self._runs.popitem(last=False)
        if given_up is not None:
            _give_up(given_up)

    def get(self, span_id: str | None) -> Run | None:
        """Find a span, and note that it is in use."""
        with self._lock:
            found = None if span_id is None else self._runs.get(span_id)
            if found is not None and span_id is not None:
                self._runs.move_to_end(span_id)
        return found

    def pop(self, span_id: str) -> Run | None:
        """Take out a span that has ended; None if it is not, or no longer, known."""
        with self._lock:
            return self._runs.pop(span_id, None)

    def give_up(self) -> None:
        """End all, innermost first."""
        with self._lock:
            left = list(self._runs.values())
            self._runs.clear()
        for run in reversed(left):
            _give_up(run)


def _give_up(run: Run) -> None:
    if run.agent is not None:
        run.agent.fail("abandoned")
    if run.recorded and run.invocation is not None:
        run.invocation.fail("abandoned")
