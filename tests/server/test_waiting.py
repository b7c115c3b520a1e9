"""The queue in memory keeps its order and its limit."""

from agenttrace.server.keeping import Message
from agenttrace.server.waiting import Waiting


def message(number: int, size: int = 1) -> Message:
    return Message("traces", "application/x-protobuf", "", bytes([number]) * size)


def test_messages_come_out_as_they_went_in_and_stay_until_they_are_done() -> None:
    queue = Waiting(10_000)
    queue.put([message(1, 100), message(2, 0)])
    assert queue.next() == queue.next() == message(1, 100)
    queue.done()
    assert queue.next() == message(2, 0)
    queue.done()
    assert (queue.bytes, queue.dropped) == (0, 0)


def test_the_oldest_are_dropped_beyond_the_limit_and_counted() -> None:
    queue = Waiting(1000)
    for number in range(10):
        queue.put([message(number, 50)])
    assert (queue.bytes, queue.dropped) == (1000, 6)
    assert queue.next() == message(6, 50)


def test_one_that_was_dropped_while_it_was_sent_takes_no_other_along() -> None:
    queue = Waiting(600)
    queue.put([message(1, 100)])
    assert queue.next() == message(1, 100)
    queue.put([message(2, 100), message(3, 100)])
    queue.done()
    assert queue.next() == message(2, 100)


def test_a_message_that_is_larger_than_the_queue_is_dropped() -> None:
    queue = Waiting(100)
    queue.put([message(1)])
    assert (queue.bytes, queue.dropped) == (0, 1)


def test_who_waits_is_let_go_when_it_is_closed() -> None:
    queue = Waiting(1000)
    queue.close()
    assert queue.next() is None
