from pathlib import Path

from agenttrace.server.keeping import Message
from agenttrace.server.outbox import Outbox


def message(number: int, size: int = 1) -> Message:
    return Message("traces", "application/x-protobuf", "gzip", bytes([number]) * size)


def taken(outbox: Outbox, count: int) -> list[int]:
    """The first bytes of the next *count* messages, which are then done with."""
    found: list[int] = []
    for _ in range(count):
        one = outbox.next()
        assert one is not None
        found.append(one.body[0])
        outbox.done()
    return found


def test_messages_come_out_as_they_went_in(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 10_000)
    outbox.put([message(1, 100), message(2, 0)])
    assert outbox.next() == message(1, 100)
    outbox.done()
    assert outbox.next() == message(2, 0)
    outbox.done()
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_done_comes_again(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 10_000)
    outbox.put([message(1), message(2)])
    assert outbox.next() == outbox.next() == message(1)


def test_a_restart_goes_on_behind_the_last_that_was_done(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 10_000)
    outbox.put([message(1), message(2), message(3)])
    assert taken(outbox, 1) == [1]
    again = Outbox(tmp_path, 10_000)
    again.put([message(4)])
    assert taken(again, 3) == [2, 3, 4]
    assert again.dropped == 0


def test_the_oldest_are_dropped_beyond_the_limit_and_counted(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 1000)
    for number in range(1, 21):
        outbox.put([message(number, 50)])
    assert outbox.bytes <= 1000
    left = taken(outbox, 20 - outbox.dropped)
    assert left == list(range(21 - len(left), 21))
    assert len(left) >= 5


def test_the_message_under_way_may_be_dropped(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 300)
    outbox.put([message(1, 100)])
    assert outbox.next() is not None
    outbox.put([message(2, 100)])
    outbox.put([message(3, 100)])
    outbox.done()
    assert taken(outbox, 1) == [3]


def test_half_a_message_of_a_killed_writer_is_passed_over(tmp_path: Path) -> None:
    Outbox(tmp_path, 10_000).put([message(1), message(2, 100)])
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-50])
    again = Outbox(tmp_path, 10_000)
    again.put([message(3)])
    assert taken(again, 2) == [1, 3]


def test_a_disk_that_refuses_costs_the_message_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outbox = Outbox(tmp_path / "file" / "queue", 1000)
    outbox.put([message(1)])
    assert outbox.dropped == 1


def test_closing_lets_go_who_waits(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 1000)
    outbox.close()
    assert outbox.next() is None


def test_nobody_else_can_read_the_queue(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "queue", 1000)
    outbox.put([message(1)])
    (file,) = (tmp_path / "queue").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert (tmp_path / "queue").stat().st_mode & 0o077 == 0
