"""The real SDK with a server in a process of its own, and what both recorded as one outline."""

import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agenttrace.testing import ModelProvider

pytest.importorskip("mcp.shared.jsonrpc_dispatcher", reason="mcp 2 is not installed")

from mcp import StdioServerParameters, stdio_client
from mcp.client import Client

from agenttrace_mcp import MCPInstrumentor

SERVER = str(Path(__file__).with_name("tool_server.py"))


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        for name, value in running.env().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture(autouse=True)
def instrumented(recording: Any) -> Iterator[None]:
    MCPInstrumentor().instrument()
    yield
    MCPInstrumentor().uninstrument()


@pytest.fixture
def connect(provider: ModelProvider) -> Callable[..., Any]:
    """Connect to the server: ``async with connect("stdio", mode="legacy") as client``."""

    @contextlib.asynccontextmanager
    async def connected(transport: str, *words: str, **options: Any) -> AsyncIterator[Client]:
        if transport == "stdio":
            command = StdioServerParameters(
                command=sys.executable, args=[SERVER, "stdio", *words], env=dict(os.environ)
            )
            async with Client(stdio_client(command), **options) as client:
                yield client
            return
        words = (sys.executable, SERVER, "http", *words)
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            try:
                async with Client(f"http://127.0.0.1:{port}/mcp", **options) as client:
                    yield client
            finally:
                server.terminate()

    return connected
