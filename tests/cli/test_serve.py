import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli.serve import _target, serve
from agenttrace.server import finding
from tests.server.sending import call, kept, message, send


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(serve, words, obj=str(home))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(home: Path, number: signal.Signals) -> None:
    code = (
        "import sys; from agenttrace.cli.serve import serve; serve(sys.argv[2:], obj=sys.argv[1])"
    )
    words = ["--http-port", "0", "--grpc-port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(home), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    url = lines[1].split()[-1]
    assert send(url, body=message(call())).status == 200
    process.send_signal(number)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 0
    assert said == "Stopping ...\nReceived 1 record.\n"
    assert lines[0] == f"Receiving for {home}\n"
    assert kept(home) == ["0000000000000001"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "--token"),
        (["--add-energy"], "--forward URL"),
        (["--forward", "nowhere"], "nowhere"),
        (["--forward", "http://host", "--forward-queue", "much"], "is no size"),
        (["--forward", "http://host", "--forward-header", "secret"], "NAME=VALUE"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_listens(
    home: Path, words: list[str], said: str
) -> None:
    result = run(home, "--http-port", "0", "--grpc-port", "0", *words)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)
    assert not (home / finding.NAME).exists()


def test_headers_to_forward_with_are_given_or_in_the_variable(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTTRACE_FORWARD_HEADERS", "Authorization=Bearer a=b,X-Team=c")
    of_variable = _target(home, "http://host", (), "1MB", add_energy=False)
    given = _target(home, "http://host", ("X-Team=d",), "1MB", add_energy=False)
    assert of_variable is not None
    assert given is not None
    assert of_variable.headers == {"authorization": "Bearer a=b", "x-team": "c"}
    assert (given.headers, given.queue_bytes) == ({"x-team": "d"}, 1_000_000)


def test_all_that_is_missing_is_named_with_the_line_that_installs_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("starlette", "uvicorn"):
        monkeypatch.setitem(sys.modules, name, None)
    assert str(run(home).exception) == (
        "the receiver needs the extra serve, of which is not installed: starlette, uvicorn. "
        'Run: pip install "/path/to/this/checkout[serve]"'
    )
