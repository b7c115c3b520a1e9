"""Choose the reply to a request: scripts in the order they were written, then the default."""

import json
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass

from agenttrace.testing.schema import sample
from agenttrace.testing.values import Failure, Reply, Request, ToolCall

Playable = Reply | Failure | str | Callable[[Request], Reply | Failure | str]


def echo(request: Request) -> Reply:
    """Answer what nobody scripted: call the tool that must be called, fill the schema, or echo."""
    if request.must_call:
        arguments = sample(request.tools.get(request.must_call, {"type": "object"}))
        return Reply(tool_calls=[ToolCall(request.must_call, arguments)])
    if request.output_schema is not None:
        return Reply(json.dumps(sample(request.output_schema)))
    return Reply(f"You said: {textwrap.shorten(request.user, 120, placeholder=' ...')}")


_CONVERSATIONS = ("chat", "generate_content", "text_completion")


@dataclass(slots=True)
class _Script:
    replies: tuple[Playable, ...]
    when: Callable[[Request], bool]
    left: int | None  # replies still to play; None plays for ever
    played: int = 0

    def next(self) -> Playable:
        """Return the reply whose turn it is."""
        reply = self.replies[self.played % len(self.replies)]
        self.played += 1
        if self.left is not None:
            self.left -= 1
        return reply


class Scripts:
    """All scripts of a provider; safe to ask from many threads."""

    def __init__(self, default: Playable) -> None:
        # A predicate may look at the provider it belongs to.
        self._lock = threading.RLock()
        self._scripts: list[_Script] = []
        self._default = default

    def add(
        self,
        replies: tuple[Playable, ...],
        when: Callable[[Request], bool] | None,
        times: int | None,
    ) -> None:
        """Add a script of *replies*, played *times* over."""
        if not replies:
            raise ValueError("A script needs at least one reply.")
        if times is not None and times < 1:
            raise ValueError(f"times is {times}; it must be 1 or more, or None for ever.")
        left = None if times is None else times * len(replies)
        with self._lock:
            self._scripts.append(_Script(replies, when or _is_chat, left))

    @property
    def pending(self) -> int:
        """Replies that are still to be played, those of endless scripts left out."""
        with self._lock:
            return sum(script.left or 0 for script in self._scripts)

    def choose(self, request: Request) -> Reply | Failure:
        """Play the next reply of the first script that has one for *request*."""
        with self._lock:
            for script in self._scripts:
                if script.left != 0 and script.when(request):
                    chosen = script.next()
                    break
            else:
                chosen = self._default if _is_chat(request) else Reply()
        return _played(chosen, request)

    def work(self, failure: Failure, request: Request) -> Reply | None:
        """Return the reply that *failure* had worked on, if it had begun to work."""
        if isinstance(failure.work, Reply):
            return failure.work
        if failure.work is not None:
            return Reply(failure.work)
        if failure.after is None or not request.stream:
            return None
        reply = _played(self._default, request)
        return reply if isinstance(reply, Reply) else echo(request)


def _is_chat(request: Request) -> bool:
    return request.operation in _CONVERSATIONS


def _played(reply: Playable, request: Request) -> Reply | Failure:
    if callable(reply):
        reply = reply(request)
    return Reply(reply) if isinstance(reply, str) else reply
