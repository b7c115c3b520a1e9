"""The turns of a child process as its messages tell them: agents, tools and model calls.

The child tells of a call when it has answered, in one message for each block of the answer; all of
them repeat the id of the answer and its usage. Of the output that usage holds only what was there
at the start, so the size of the answer is taken until the end of the turn says the sum.
"""

import contextlib
from collections.abc import Generator
from typing import Any, Final

from agenttrace import Invocation
from agenttrace.integration import guarded
from agenttrace_claude_agent.reading import Sums, error_of, sums_of
from agenttrace_claude_agent.turn import Turn

_guarded: Final = guarded("a message of Claude Code")


class Conversation:
    """What one child process does, turn by turn."""

    def __init__(self, around: Invocation | None = None) -> None:
        self._turn: Turn | None = None
        self._around = around  # of what is asked next, or was last
        self._session: str | None = None
        self._billed: dict[str, Sums] = {}  # the sums of the child go on over its turns

    @_guarded
    def begin(self, around: Invocation | None) -> None:
        """Begin a turn; one that is under way takes in what is asked."""
        self._around = around
        if self._turn is None:
            self._turn = Turn(around, self._session)

    @contextlib.contextmanager
    def current(self) -> Generator[None]:
        """Make the agent of the turn current for the block."""
        agent = None if self._turn is None else self._turn.agent
        if agent is None:
            yield
            return
        agent.attach()
        try:
            yield
        finally:
            agent.detach()

    @_guarded
    def hear(self, message: Any) -> None:
        """Take note of *message*; what it says is not read."""
        if self._turn is None:
            if not hasattr(message, "parent_tool_use_id"):
                return  # of the session, and not of a turn
            # The child went on by itself, as it does when work in the background is done.
            self._turn = Turn(self._around, self._session)
        turn = self._turn
        self._name_session(turn, message)
        match type(message).__name__:
            case "AssistantMessage":
                turn.answered(message)
            case "StreamEvent":
                turn.streamed(message)
            case "UserMessage":
                turn.told(message)
            case "ResultMessage":
                self._end(turn, message)
            case _:
                pass

    @_guarded
    def close(self, error: BaseException | None) -> None:
        """End what is under way: nobody listens any more, or the child is gone."""
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.end(error, {})

    def _end(self, turn: Turn, result: Any) -> None:
        self._turn = None
        spent: dict[str, Sums] = {}
        for model, sums in sums_of(result, turn.model).items():
            if result.model_usage:
                # A child that forgets what it was begins to sum anew.
                spent[model] = sums.since(self._billed.get(model))
                self._billed[model] = sums
            else:
                spent[model] = sums
        turn.end(error_of(result), spent)

    def _name_session(self, turn: Turn, message: Any) -> None:
        data = getattr(message, "data", None)
        said = data.get("session_id") if isinstance(data, dict) else None  # pyright: ignore[reportUnknownMemberType] - of any shape
        session = getattr(message, "session_id", None) or said
        if isinstance(session, str) and session:
            self._session = session
            turn.name_session(session)
