"""A LlamaIndex span that is under way."""

from dataclasses import dataclass

from agenttrace import Invocation
from agenttrace.integration import UnderWay


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


def give_up(run: Run) -> None:
    """End a span of which nobody said how it ended."""
    if run.agent is not None:
        run.agent.abandon()
    if run.recorded and run.invocation is not None:
        run.invocation.abandon()


Runs = UnderWay[str, Run]  # by span id
