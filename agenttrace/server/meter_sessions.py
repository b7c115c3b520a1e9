"""Whose work a request is, by the headers that its client sends.

Only ids are read, and of no header that is a secret. A session is a task; a client that names none
has its calls recorded in no task.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from opentelemetry.trace import SpanContext

from agenttrace import integration
from agenttrace.record import setup
from agenttrace.record.invocation import Invocation
from agenttrace.sources import told

SESSION_HEADERS: Final = (
    (b"x-claude-code-session-id", "claude-code"),
    (b"session_id", "codex"),
    (b"session-id", "codex"),
)
"""Header with the id of a session -> the agent that sends it."""

AGENT_HEADER: Final = b"x-claude-code-agent-id"
PARENT_HEADER: Final = b"x-claude-code-parent-agent-id"

_CARRIERS: Final = ("traceparent", "tracestate", "baggage")
_KEPT: Final = 4096  # sessions and agents that are remembered
_LONGEST: Final = 200  # characters of an id

Header = Callable[[bytes], str | None]


@dataclass(frozen=True, slots=True)
class _Place:
    """A task or an agent that was recorded."""

    span: SpanContext
    task_id: str | None
    task_name: str
    session: str
    agent: str | None = None
    depth: int = 0

    def entered(self) -> Invocation:
        """Return what stands for it around one request."""
        return Invocation.remote(
            self.span,
            task_id=self.task_id,
            task_name=self.task_name,
            session_id=self.session,
            agent=self.agent,
            agent_span_id=f"{self.span.span_id:016x}" if self.agent else None,
            agent_depth=self.depth,
            role="subagent" if self.depth > 1 else "main",
        )


class Sessions:
    """Sessions and agents that requests came from."""

    def __init__(self) -> None:
        self._places: OrderedDict[tuple[str, ...], _Place] = OrderedDict()

    def enter(self, header: Header) -> None:
        """Let the call that is made in this context be of the session that *header* names.

        A task that the client carries along goes before a session.
        """
        found = self._carried(header) or self._of_session(header)
        if found is not None:
            found.attach()

    def _carried(self, header: Header) -> Invocation | None:
        said = {name: header(name.encode()) for name in _CARRIERS}
        if not said["baggage"] or not said["traceparent"]:
            return None
        found = integration.extract(said)
        return found if found is not None and found.task_id is not None else None

    def _of_session(self, header: Header) -> Invocation | None:
        for name, agent in SESSION_HEADERS:
            if session := (header(name) or "")[:_LONGEST]:
                task = self._kept((agent, session)) or self._begin_task(agent, session)
                named = (header(AGENT_HEADER) or "")[:_LONGEST]
                return self._agent(task, named, header).entered() if named else task.entered()
        return None

    def _begin_task(self, agent: str, session: str) -> _Place:
        """Record the task of a session; after a restart it is the same."""
        begun = setup.start(
            "task",
            agent,
            task_id=told.task_id(agent, session, "meter"),
            session_id=session,
        )
        # How long it goes on nobody says; its calls do.
        begun.stop()
        return self._keep(
            (agent, session), _Place(begun.span_context, begun.task_id, agent, session)
        )

    def _agent(self, task: _Place, named: str, header: Header) -> _Place:
        key = (task.task_name, task.session, named)
        if found := self._kept(key):
            return found
        parent = (header(PARENT_HEADER) or "")[:_LONGEST]
        around = self._kept((*key[:2], parent)) or task
        outer = around.entered()
        begun = setup.start("agent", "subagent", parent=outer)
        begun.stop()
        # The session itself is the root agent, at depth 1.
        depth = max(around.depth, 1) + 1
        return self._keep(
            key,
            _Place(
                begun.span_context, task.task_id, task.task_name, task.session, "subagent", depth
            ),
        )

    def _kept(self, key: tuple[str, ...]) -> _Place | None:
        found = self._places.get(key)
        if found is not None:
            self._places.move_to_end(key)
        return found

    def _keep(self, key: tuple[str, ...], place: _Place) -> _Place:
        self._places[key] = place
        if len(self._places) > _KEPT:
            self._places.popitem(last=False)
        return place
