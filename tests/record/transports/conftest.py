"""A server that says exactly what it is told to."""

import functools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import agenttrace
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


@pytest.fixture
def traced_by_another(recording: Path) -> Iterator[Callable[[Any, str], None]]:
    """Wrap a hook as another tracer does, and then begin to record anew, on top of that."""
    plain: list[tuple[Any, str, Any]] = []

    def wrap(owner: Any, name: str) -> None:
        ours = getattr(owner, name)
        plain.append((owner, name, ours.__wrapped__))

        @functools.wraps(ours)
        def theirs(*args: Any, **kwargs: Any) -> Any:
            return ours(*args, **kwargs)

        setattr(owner, name, theirs)
        agenttrace.shutdown()
        agenttrace.configure(recording)

    yield wrap
    agenttrace.shutdown()
    for owner, name, original in plain:
        if getattr(owner.__base__, name, None) is original:
            delattr(owner, name)
        else:
            setattr(owner, name, original)
