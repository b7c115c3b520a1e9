"""Who is told to stop several times at once stops as if told once, and loses nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

import agenttrace
from agenttrace.testing import ModelProvider
from tests.server.sending import call, kept, message, send


@contextmanager
def _told_often(home: Path, *words: str) -> Generator[str]:
    """Yield the first URL that a command says, and tell it to stop when the block is left."""
    with subprocess.Popen(
        [sys.executable, "-m", "agenttrace", "--store", str(home), *words],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(4)]
        try:
            yield next(word for word in "".join(said).split() if word.startswith("http://"))
            for _ in range(20):
                process.send_signal(signal.SIGINT)
                process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_serve_stops_as_if_told_once(home: Path):
    with _told_often(home, "serve", "--http-port", "0", "--grpc-port", "0") as url:
        assert send(url, body=message(call())).status == 200
    assert kept(home) == ["0000000000000001"]


def test_the_meter_stops_as_if_told_once(home: Path):
    asked = {"model": "gpt-5", "input": "one two"}
    with (
        ModelProvider() as provider,
        _told_often(home, "meter", "--port", "0", "--upstream", f"openai={provider.url}") as url,
    ):
        base = url.removesuffix("/NAME,")
        assert httpx.post(f"{base}/openai/v1/responses", json=asked).status_code == 200
    with agenttrace.read(home) as reader:
        assert reader.query("FROM model_call SELECT model") == [{"model": "gpt-5"}]
