"""The frames that are open in this process, by the invocation that they are recorded as.

CrewAI does not name the event that an end belongs to in all versions, so a frame is found from
where the end is told: it is around what is current there.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agenttrace import Invocation

UNDER_WAY: Final = 16_384  # what is oldest beyond that was abandoned

Key = tuple[str, int, str]  # the event that began it, the id of what emitted that, the name


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Something of CrewAI's that has begun.

    Attributes:
        invocation: What it is recorded as.
        key: What tells it from others.
        role: The role that CrewAI gives to the calls inside; None where they have that of their
            agent.
    """

    invocation: Invocation
    key: Key
    role: str | None


class OpenFrames:
    """The frames under way, as many as *limit*."""

    def __init__(self, limit: int = UNDER_WAY) -> None:
        self._limit = limit
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: Frame) -> None:
        """Keep *frame* until its end; if there are too many, the oldest is given up."""
        given_up = None
        with self._lock:
            self._frames[id(frame.invocation)] = frame
            if len(self._frames) > self._limit:
                _, given_up = self._frames.popitem(last=False)
        if given_up is not None:
            given_up.invocation.fail("abandoned")

    def pop(self, frame: Frame) -> None:
        """Forget *frame*, which ends."""
        with self._lock:
            self._frames.pop(id(frame.invocation), None)

    def around(self, here: Invocation | None) -> Frame | None:
        """Find the innermost frame around *here*, if nothing of the user's own is between."""
        return None if here is None else self._frames.get(id(here))

    def again(self, key: Key, around: Frame | None) -> Frame | None:
        """Find the frame that has begun with the same *key* and not ended before it begins again.

        An agent that is asked by another one is asked in a tool, and is then no repetition.
        """
        for frame in self._outwards(around.invocation if around else None):
            if frame.key == key:
                return frame
            if frame.invocation.kind == "tool":
                return None
        return None

    def begun_by(self, event: str, source: int, here: Invocation | None) -> Frame | None:
        """Find the innermost frame around *here* that *event* of *source* has begun."""
        for frame in self._outwards(here):
            if frame.key[:2] == (event, source):
                return frame
        return None

    def last(self, event: str, source: int) -> Frame | None:
        """Find the frame that *event* of *source* has begun last, wherever that was."""
        with self._lock:
            frames = list(self._frames.values())
        return next((frame for frame in reversed(frames) if frame.key[:2] == (event, source)), None)

    def inside(self, outer: Frame, here: Invocation | None) -> list[Frame]:
        """Return the frames around *here* that are inside of *outer*, innermost first."""
        found: list[Frame] = []
        for frame in self._outwards(here):
            if frame is outer:
                return found
            found.append(frame)
        return []

    def _outwards(self, here: Invocation | None) -> Iterator[Frame]:
        while here is not None:
            frame = self._frames.get(id(here))
            if frame is not None:
                yield frame
            here = here.parent
