from collections.abc import Iterator
from pathlib import Path

import pytest

from agenttrace.server import Running, running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One receiver for all tests of a module that leave nothing behind."""
    home = tmp_path_factory.mktemp("home")
    with running(home, http_port=0, grpc_port=0, is_folding=False) as one:
        yield one


@pytest.fixture
def server(home: Path) -> Iterator[Running]:
    """A receiver for ``home``, on ports of its own."""
    with running(home, http_port=0, grpc_port=0, is_folding=False) as one:
        yield one
