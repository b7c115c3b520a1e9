"""The streams that LiteLLM has returned and not ended yet, by the id of the call."""

from typing import Final

from agenttrace import Invocation, semconv
from agenttrace.integration import UnderWay

UNDER_WAY: Final = 1_024  # what is longest unused beyond that was abandoned


def give_up(invocation: Invocation) -> None:
    """End the frame of a stream that was left half-way."""
    invocation.set({semconv.OUTCOME: "abandoned"})
    invocation.stop()


STREAMS: Final[UnderWay[str, Invocation]] = UnderWay(give_up, UNDER_WAY)
