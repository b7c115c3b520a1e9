from collections.abc import Iterator

import pytest

from agenttrace.testing import ModelProvider


@pytest.fixture
def provider() -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        yield running
