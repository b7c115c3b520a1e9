import pytest

from agenttrace.server.counts import REASONS_AT_MOST, Counts
from agenttrace.server.limits import Limits
from agenttrace.server.refusals import FULL, RefusedError
from agenttrace.server.room import Room


def test_one_request_too_many_is_to_come_again() -> None:
    room = Room(Limits(waiting_requests=1))
    with room.taken():
        with pytest.raises(RefusedError) as caught, room.taken():
            pass
        assert caught.value.why is FULL
    with room.taken():
        assert room.requests == 1


def test_whatever_is_sent_the_reasons_told_apart_are_bounded() -> None:
    counts = Counts()
    for number in range(REASONS_AT_MOST + 10):
        counts.accepted("traces", "http", 1, 0, {f"reason {number}": 2})
    assert len(counts.rejected) == REASONS_AT_MOST + 1
    assert counts.rejected["traces", "other"] == 20
