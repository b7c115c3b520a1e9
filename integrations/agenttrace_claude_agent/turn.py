"""One turn of a child process: its agent, its sub-agents, their tools and their calls."""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Final

import agenttrace
from agenttrace import Invocation, semconv
from agenttrace_claude_agent.reading import NOTHING, Sums, size_of, sums_of_call

AGENT: Final = "claude"
AGGREGATED: Final = "agenttrace.aggregated"  # a sum of calls that nothing tells apart
_DELEGATES: Final = frozenset({"Agent", "Task"})  # tools that are agents
_SYNTHETIC: Final = "<synthetic>"  # an answer that the program made up, of an error for example
_LATE: Final = 256  # answers of which a part may still come, when others have come since
_TOOL_ERROR: Final = "tool_error"


@dataclass(slots=True, eq=False)
class Call:
    """A model call.

    Attributes:
        invocation: What it is recorded as.
        model: Who answered.
        sums: Its tokens as far as they are said.
        size: Output tokens by the size of the answer.
        is_said: The input is said, and what there was of the output at its start.
        is_complete: All of the output is said.
    """

    invocation: Invocation
    model: str
    sums: Sums = NOTHING
    size: int = 0
    is_said: bool = False
    is_complete: bool = False

    def counted(self) -> Sums:
        """Return its tokens, the output by its size where that is not said."""
        if self.is_complete:
            return self.sums
        return replace(self.sums, output=max(self.size, self.sums.output))


@dataclass(slots=True, eq=False)
class Agent:
    """An agent of the child.

    Attributes:
        invocation: What it is recorded as.
        next: The call that may be under way, which has not answered yet.
        last: The call that answered last, to which more of its answer may come.
        last_id: Id of that answer.
    """

    invocation: Invocation
    next: Invocation | None = None
    last: Call | None = None
    last_id: str | None = None


@dataclass(slots=True)
class Turn:
    """A turn that is under way."""

    around: Invocation | None
    session: str | None
    model: str | None = None
    _main: Agent = field(init=False)
    _agents: dict[str, Agent] = field(default_factory=dict[str, Agent], init=False)
    _tools: dict[str, Invocation] = field(default_factory=dict[str, Invocation], init=False)
    _seen: deque[str] = field(default_factory=lambda: deque[str](maxlen=_LATE), init=False)
    _ended: dict[str, Sums] = field(default_factory=dict[str, Sums], init=False)  # by model

    def __post_init__(self) -> None:
        named = None if self.around is not None and self.around.session_id else self.session
        agent = agenttrace.start("agent", AGENT, parent=self.around, session_id=named)
        self._main = Agent(agent)
        self._expect(self._main)

    @property
    def agent(self) -> Invocation:
        """The agent that answers the user."""
        return self._main.invocation

    def name_session(self, session: str) -> None:
        """Say which conversation it is, where nothing around says another."""
        if self.agent.session_id is not None:
            return
        self.agent.session_id = session
        self.agent.set({semconv.CONVERSATION_ID: session})
        self._expect(self._main)

    def answered(self, message: Any) -> None:
        """Note a part of an answer, and the tools that it asks for."""
        agent = self._agent(message.parent_tool_use_id)
        if message.model != _SYNTHETIC:
            self._note(agent, message)
        for block in message.content:
            if type(block).__name__ == "ToolUseBlock":
                self._use(agent, block)

    def streamed(self, message: Any) -> None:
        """Note the whole output of an answer, which only the events of its stream say."""
        event = message.event
        agent = self._agent(message.parent_tool_use_id)
        sums = sums_of_call({"input_tokens": 0, **(event.get("usage") or {})})
        if event.get("type") != "message_delta" or sums is None or agent.last is None:
            return
        agent.last.sums = replace(agent.last.sums, output=sums.output)
        agent.last.is_complete = True

    def told(self, message: Any) -> None:
        """End the tools whose results go back to an agent, which asks its model then."""
        if not isinstance(message.content, list):
            return
        results = [one for one in message.content if type(one).__name__ == "ToolResultBlock"]
        if not results:
            return
        agent = self._agent(message.parent_tool_use_id)
        self._end_call(agent)
        for block in results:
            self._end_agent(block.tool_use_id)
            tool = self._tools.pop(block.tool_use_id, None)
            if tool is None:
                continue
            if block.is_error:
                tool.fail(_TOOL_ERROR)
            else:
                tool.stop()
        self._expect(agent)

    def end(self, error: BaseException | str | None, spent: dict[str, Sums]) -> None:
        """End all that is under way.

        Args:
            error: How it failed, if it did.
            spent: What the child says that it spent in this turn, by model; else empty.
        """
        last = [agent.last for agent in self._everyone() if agent.last is not None]
        for model, sums in spent.items():
            self._settle(model, sums, last)
        for agent in list(self._everyone()):
            self._end_call(agent)
        for tool_use_id in list(self._agents):
            self._end_agent(tool_use_id)
        for tool in self._tools.values():
            tool.fail("abandoned")
        self._drop_next(self._main)
        self.agent.end(error)

    def _settle(self, model: str, spent: Sums, last: list[Call]) -> None:
        """Compare what the child spent with what its messages showed.

        Input that no message showed is that of hidden calls. Output that none showed is of those,
        or of the answers whose size was taken: the last of them has what is left over.
        """
        ended = [sums for shown, sums in self._ended.items() if _same(shown, model)]
        last = [call for call in last if _same(call.model, model)]
        seen = NOTHING
        for sums in (*ended, *(call.counted() for call in last)):
            seen = seen.plus(sums)
        hidden = spent.less(seen)
        is_shown = bool(ended or last)
        if hidden.has_input or not is_shown:
            self._hide(model, hidden, estimated=is_shown)
            return
        for call in reversed(last):
            if not call.is_complete:
                others = seen.output - call.counted().output
                call.size = max(spent.output - others, call.sums.output)
                if not ended and len(last) == 1:
                    # Of one call alone the child says all; of several it is shared out.
                    call.sums = replace(call.sums, output=call.size)
                    call.is_complete = True
                return

    def _hide(self, model: str, sums: Sums, *, estimated: bool) -> None:
        """Record the calls that no message showed, as one: how many they were is not said."""
        if not sums.has_input and not sums.output:
            return
        call = _start_call(self.agent, role="other")
        call.name = model
        call.set({semconv.RESPONSE_MODEL: model, AGGREGATED: True})
        call.usage(sums.usage(estimated=estimated))
        call.stop()

    def _note(self, agent: Agent, message: Any) -> None:
        message_id = message.message_id
        if message_id is None or message_id != agent.last_id:
            self._end_call(agent)
            if message_id is not None and message_id in self._seen:
                return  # a part that comes late
            invocation = agent.next or _start_call(agent.invocation)
            agent.next, agent.last_id = None, message_id
            agent.last = Call(invocation, message.model)
            if agent is self._main:
                self.model = message.model
            invocation.name = message.model
            invocation.set({semconv.REQUEST_MODEL: message.model})
            if message_id is not None:
                self._seen.append(message_id)
                invocation.set({semconv.RESPONSE_ID: message_id})
        call = agent.last
        if call is None:
            return
        call.size += size_of(message.content)
        sums = sums_of_call(message.usage)
        if sums is not None and not call.is_complete:
            call.sums, call.is_said = sums, True
            call.is_complete = message.stop_reason is not None

    def _use(self, agent: Agent, block: Any) -> None:
        tool = agenttrace.start("tool", block.name, parent=agent.invocation)
        self._tools[block.id] = tool
        if block.name in _DELEGATES:
            named = block.input.get("subagent_type") if isinstance(block.input, dict) else None
            self._delegate(block.id, tool, named)

    def _agent(self, tool_use_id: str | None) -> Agent:
        if tool_use_id is None:
            return self._main
        found = self._agents.get(tool_use_id)
        if found is None:
            around = self._tools.get(tool_use_id, self.agent)
            found = self._delegate(tool_use_id, around, None)
        return found

    def _delegate(self, tool_use_id: str, around: Invocation, named: object) -> Agent:
        name = named if isinstance(named, str) and named else "subagent"
        agent = Agent(agenttrace.start("agent", name, parent=around))
        self._agents[tool_use_id] = agent
        self._expect(agent)
        return agent

    def _end_agent(self, tool_use_id: str) -> None:
        agent = self._agents.pop(tool_use_id, None)
        if agent is not None:
            self._end_call(agent)
            self._drop_next(agent)
            agent.invocation.stop()

    def _expect(self, agent: Agent) -> None:
        """Start the call that an agent may be making now."""
        self._drop_next(agent)
        agent.next = _start_call(agent.invocation)

    def _drop_next(self, agent: Agent) -> None:
        if agent.next is not None:
            agent.next.discard()
            agent.next = None

    def _end_call(self, agent: Agent) -> None:
        call, agent.last, agent.last_id = agent.last, None, None
        if call is None:
            return
        self._ended[call.model] = self._ended.get(call.model, NOTHING).plus(call.counted())
        if call.is_said:
            call.invocation.usage(call.counted().usage(estimated=not call.is_complete))
        call.invocation.set({semconv.OUTCOME: "complete"})
        call.invocation.stop()

    def _everyone(self) -> list[Agent]:
        return [self._main, *self._agents.values()]


def _same(shown: str, billed: str) -> bool:
    """Whether two names are of one model; the child bills some with a suffix like ``[1m]``."""
    return shown == billed.partition("[")[0]


def _start_call(agent: Invocation, role: str | None = None) -> Invocation:
    """Start a call of *agent*; who answers is known when it has."""
    return agenttrace.start(
        "inference",
        AGENT,
        parent=agent,
        role=role,
        attributes={
            semconv.OPERATION_NAME: semconv.CHAT,
            semconv.PROVIDER_NAME: "anthropic",
            semconv.CAPTURE: "frame",
        },
    )
