"""The frames that are open in this process, by the invocation that they are recorded as.

CrewAI does not name the event that an end belongs to in all versions, so a frame is found from
where the end is told: it is around what is current there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agenttrace import Invocation
from agenttrace.integration import UnderWay

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


class OpenFrames(UnderWay[Invocation, Frame]):
    """The frames under way, by their invocations."""

    def __init__(self) -> None:
        super().__init__(give_up)

    def around(self, here: Invocation | None) -> Frame | None:
        """Find the innermost frame around *here*, if nothing of the user's own is between."""
        return self.use(here)

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
        """Find the frame that *event* of *source* has begun, wherever that was; the last used."""
        frames = reversed(self.values())
        return next((frame for frame in frames if frame.key[:2] == (event, source)), None)

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
            frame = self.get(here)
            if frame is not None:
                yield frame
            here = here.parent


def give_up(frame: Frame) -> None:
    """End a frame of which nobody said how it ended."""
    frame.invocation.abandon()
