"""What every test may lean on: a home of its own, and no trouble that nobody looked at."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import agenttrace
from agenttrace.record import trouble as recording_trouble


class _Said(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, which agenttrace uses unless it is told another."""
    folder = tmp_path / "home"
    monkeypatch.setenv("AGENTTRACE_HOME", str(folder))
    for name in (
        "AGENTTRACE_FACTORS",
        "AGENTTRACE_PROJECT",
        "AGENTTRACE_REGION",
        "AGENTTRACE_USERS",
        "AGENTTRACE_WORKLOAD",
        "BAGGAGE",
        "OTEL_SDK_DISABLED",
        "TRACEPARENT",
        "TRACESTATE",
    ):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def recording(home: Path) -> Iterator[Path]:
    """Record into ``home`` for as long as the test runs."""
    agenttrace.configure(home)
    yield home
    agenttrace.shutdown()


@pytest.fixture
def spooled(home: Path) -> Callable[[], list[dict[str, Any]]]:
    """The records in the spool so far, in the order of their start."""

    def read() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for segment in sorted((home / "spool").glob("*-*")):
            lines = segment.read_bytes().rstrip(b"\0").splitlines()[1:]
            found += [json.loads(line) for line in lines]
        return sorted(found, key=lambda record: record["start_ns"])

    return read


@pytest.fixture
def trouble() -> Iterator[list[str]]:
    """What agenttrace said it could not do; a test that asks for it expects some."""
    handler = _Said()
    logging.getLogger("agenttrace").addHandler(handler)
    yield handler.messages
    logging.getLogger("agenttrace").removeHandler(handler)


@pytest.fixture(autouse=True)
def no_unseen_trouble(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which recording failed and nobody asked for ``trouble``."""
    recording_trouble.forget()
    # Not before a framework's own tests have filtered what its OpenTelemetry warns of.
    from agenttrace.record import setup

    setup.note_integrations(())
    handler = _Said()
    logging.getLogger("agenttrace").addHandler(handler)
    yield
    logging.getLogger("agenttrace").removeHandler(handler)
    if "trouble" not in request.fixturenames:
        assert handler.messages == []
