"""What every test may lean on: a home of its own, and no trouble that nobody looked at."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import agenttrace


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
    for name in ("TRACEPARENT", "TRACESTATE", "BAGGAGE", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def recording(home: Path) -> Iterator[Path]:
    """Record into ``home`` for as long as the test runs."""
    agenttrace.configure(home)
    yield home
    agenttrace.shutdown()


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
    handler = _Said()
    logging.getLogger("agenttrace").addHandler(handler)
    yield
    logging.getLogger("agenttrace").removeHandler(handler)
    if "trouble" not in request.fixturenames:
        assert handler.messages == []
