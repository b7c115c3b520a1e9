import threading
from pathlib import Path

import pytest

from agenttrace.record.spool import Spool
from agenttrace.server.keeping import Keeper, Message
from agenttrace.server.refusals import STOPPING, RefusedError

MESSAGE = Message("traces", "application/x-protobuf", "", b"")


def line(number: int) -> bytes:
    return b'{"n": %d}\n' % number


class _Gated:
    """A spool whose disk waits until it is let go on."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.began = threading.Event()
        self.go_on = threading.Event()

    def append_all(self, lines: list[bytes]) -> None:
        self.batches.append(list(lines))
        self.began.set()
        assert self.go_on.wait(5)

    def close(self) -> None: ...


def test_what_comes_while_the_disk_works_is_written_together() -> None:
    spool = _Gated()
    keeper = Keeper(spool)  # type: ignore[arg-type]
    first = keeper.keep([line(1)], MESSAGE)
    assert spool.began.wait(5)
    others = [keeper.keep([line(number)], MESSAGE) for number in (2, 3, 4)]
    assert not first.done()
    spool.go_on.set()
    for kept in (first, *others):
        kept.result(5)
    assert spool.batches == [[line(1)], [line(2), line(3), line(4)]]
    keeper.close()


def test_who_gives_up_waiting_does_not_stop_the_others() -> None:
    spool = _Gated()
    keeper = Keeper(spool)  # type: ignore[arg-type]
    given_up = keeper.keep([line(1)], MESSAGE)
    assert spool.began.wait(5)
    given_up.cancel()
    other = keeper.keep([line(2)], MESSAGE)
    spool.go_on.set()
    other.result(5)
    keeper.close()


def test_nothing_is_acknowledged_before_it_is_passed_to_the_queue(tmp_path: Path) -> None:
    passed: list[Message] = []
    keeper = Keeper(Spool(tmp_path, "test", is_retold=True), passed.extend)
    keeper.keep([], MESSAGE).result(5)
    assert passed == [MESSAGE]
    keeper.close()


def test_closing_writes_what_waits_and_refuses_what_comes_later(tmp_path: Path) -> None:
    keeper = Keeper(Spool(tmp_path, "test", is_retold=True))
    kept = keeper.keep([line(1)], MESSAGE)
    keeper.close()
    assert kept.result(0) is None
    with pytest.raises(RefusedError) as caught:
        keeper.keep([line(2)], MESSAGE).result(0)
    assert caught.value.why is STOPPING
    (segment,) = tmp_path.glob("*.seg")
    assert segment.read_bytes().splitlines()[1:] == [line(1).strip()]
