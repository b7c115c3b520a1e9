"""The LangChain runs that are under way in this process, by run id."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from agenttrace import Invocation
from agenttrace.integration import UnderWay


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


def give_up(run: Run) -> None:
    """End a run of which nobody said how it ended."""
    if not run.recorded:
        return
    if isinstance(run, ModelRun) and not run.invocation.wire_calls:
        # Perhaps it never was a call: when one run of a batch fails, the rest is not made.
        run.invocation.discard()
    else:
        run.invocation.abandon()


# Shared by all handlers, so that a run is recorded once.
RUNS: Final[UnderWay[UUID, Run]] = UnderWay(give_up)
