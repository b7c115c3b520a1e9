"""A command that has ended; its receipt is made from it, which takes longer to load."""

from dataclasses import dataclass

from agenttrace.sources.told import Total


@dataclass(frozen=True, slots=True)
class Run:
    """A command that has ended.

    Attributes:
        name: Of the run.
        task_id: Of the task around it; None where recording was off.
        agent: The coding agent that it is, as ``coding_agents`` names it; None for a program.
        session: The agent's id of its session, where its result names one.
        start_ns: When it began, nanoseconds since 1970-01-01 UTC.
        end_ns: When it ended.
        status: Its exit status.
        said: What it said itself that its session has used.
        notes: What the user should know, a sentence each.
    """

    name: str
    task_id: str | None
    agent: str | None
    session: str | None
    start_ns: int
    end_ns: int
    status: int
    said: tuple[Total, ...] = ()
    notes: tuple[str, ...] = ()
