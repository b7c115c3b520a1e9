"""The LangChain runs that are under way in this process, by run id."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from agenttrace import Invocation

UNDER_WAY: Final = 16_384  # what is longest unused beyond that was abandoned


@dataclass(slots=True, eq=False)
class Run:
    """One run, and the invocation that it stands in.

    Attributes:
        invocation: What it is recorded as; that of a run around it if it is not recorded itself.
        recorded: The invocation is this run's own.
        attached: This run made the invocation current, so its end undoes that.
        adrift: The invocation is not current where it began, since a consumer shares that context;
            runs inside make it current in theirs.
        namespace: The place in a graph, ``node:id|node:id``.
        agent: Name that ``create_agent`` gave to the agent around.
    """

    invocation: Invocation
    recorded: bool = False
    attached: bool = False
    adrift: bool = False
    namespace: str | None = None
    agent: str | None = None

    def attach(self) -> None:
        """Make the invocation current until the end of this run, which may be told elsewhere."""
        self.attached = True
        self.invocation.attach(loose=True)

    def detach(self) -> None:
        """Restore what was current before, if this run changed it."""
        if self.attached:
            self.invocation.detach()


@dataclass(slots=True, eq=False)
class ModelRun(Run):
    """A run of a chat model or a completion model.

    Attributes:
        started: Performance counter at the start, in seconds.
        first_chunk_s: Seconds until the first piece of a streamed answer, if there was one.
        first: The first run of the same batch, in which all its requests are seen; None for it.
    """

    started: float = 0.0
    first_chunk_s: float | None = None
    first: "ModelRun | None" = None

    @property
    def is_metered_elsewhere(self) -> bool:
        """The meter saw the requests of this run's batch in the first of its runs."""
        return self.first is not None and self.first.invocation.wire_calls > 0


class Runs:
    """The runs under way, as many as *limit*."""

    def __init__(self, limit: int = UNDER_WAY) -> None:
        self._limit = limit
        self._runs: OrderedDict[UUID, Run] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, run_id: UUID) -> bool:
        return run_id in self._runs

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, run_id: UUID, run: Run) -> None:
        """Keep *run* until its end; if there are too many, the one longest unused is given up."""
        given_up = None
        with self._lock:
            self._runs[run_id] = run
            if len(self._runs) > self._limit:
                _, given_up = self._runs.popitem(last=False)
        if given_up is not None and given_up.recorded:
            _give_up(given_up)

    def around(self, parent_run_id: UUID | None) -> Run | None:
        """Find the run that another one begins in, and note that it is in use."""
        if parent_run_id is None:
            return None
        with self._lock:
            found = self._runs.get(parent_run_id)
            if found is not None:
                self._runs.move_to_end(parent_run_id)
        return found

    def model(self, run_id: UUID) -> ModelRun | None:
        """Find a run of a model."""
        found = self._runs.get(run_id)
        return found if isinstance(found, ModelRun) else None

    def pop(self, run_id: UUID) -> Run | None:
        """Take out a run that has ended; None if it is not, or no longer, known."""
        with self._lock:
            return self._runs.pop(run_id, None)


def _give_up(run: Run) -> None:
    """End a run of which nobody said how it ended."""
    if isinstance(run, ModelRun) and not run.invocation.wire_calls:
        # Perhaps it never was a call: when one run of a batch fails, the rest is not made.
        run.invocation.discard()
    else:
        run.invocation.fail("abandoned")
