"""A server that says exactly what it is told to."""

import threading
from collections.abc import Iterator

import pytest

from agenttrace.record.wire import exchange
from tests.record.transports.server import Server


@pytest.fixture(autouse=True)
def nothing_was_tried_before() -> None:
    """The tests of a thread send the same bytes, and some of them fail."""
    exchange._last_operation.set(None)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield running
    running.close()
    thread.join()
