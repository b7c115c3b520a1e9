"""The meter passes on exactly what comes, as it comes, and counts each call once."""

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import httpx
import openai
import pytest

import agenttrace
from agenttrace.errors import ConfigError, MissingDependencyError
from agenttrace.server.meter import Meter
from agenttrace.server.metering import metering
from agenttrace.testing import Failure, ModelProvider


class _Metered(NamedTuple):
    url: str
    home: Path
    provider: ModelProvider
    since: datetime

    def calls(self) -> list[dict[str, Any]]:
        with agenttrace.read(self.home) as reader:
            return reader.query(
                "SELECT task_name, session_id, agent, role, provider, model, input_tokens, "
                "output_tokens, capture, status, outcome FROM model_call WHERE started_at >= ? "
                "ORDER BY started_at",
                [self.since],
            )


_METER = """
import signal, sys
from pathlib import Path
from agenttrace.server.metering import metering
home, upstream = sys.argv[1:]
upstreams = {"openai": upstream, "anthropic": upstream}
with metering(Path(home), port=0, upstreams=upstreams) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


_PROGRAM = """
import sys
import agenttrace, openai
home, url = sys.argv[1:]
agenttrace.configure(home)
with agenttrace.task("program"):
    client = openai.OpenAI(base_url=url, api_key="test", max_retries=0)
    client.responses.create(model="gpt-5", input="one two")
    try:
        client.responses.create(model="gpt-5", input="three")
    except openai.RateLimitError:
        pass
"""


@pytest.fixture(scope="module")
def meter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Metered]:
    """A meter in a process of its own, for the clients here would be counted as well."""
    home = tmp_path_factory.mktemp("metered")
    with ModelProvider() as provider:
        process = subprocess.Popen(
            [sys.executable, "-c", _METER, str(home), provider.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            assert process.stdin is not None
            yield _Metered(process.stdout.readline().strip(), home, provider, datetime.now(UTC))
            process.stdin.close()
            assert process.wait(20) == 0


@pytest.fixture
def metered(meter: _Metered) -> _Metered:
    """The same, of which one sees only what a test has done itself."""
    return meter._replace(since=datetime.now(UTC).replace(tzinfo=None))


def test_the_sdks_work_through_it_and_each_call_counts_once(metered: _Metered):
    before = len(metered.provider.ledger)
    gpt = openai.OpenAI(base_url=f"{metered.url}/openai/v1", api_key="test")
    answer = gpt.chat.completions.create(
        model="gpt-5", messages=[{"role": "user", "content": "one two three"}]
    )
    assert answer.choices[0].message.content == "You said: one two three"
    pieces = gpt.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "four"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    streamed = [piece.choices[0].delta.content or "" for piece in pieces if piece.choices]
    assert "".join(streamed) == "You said: four"
    claude = anthropic.Anthropic(
        base_url=f"{metered.url}/anthropic",
        api_key="test",
        default_headers={"x-claude-code-session-id": "s1", "x-claude-code-agent-id": "a1"},
    )
    with claude.messages.stream(
        model="claude-opus-4-8",
        max_tokens=99,
        messages=[{"role": "user", "content": "five six"}],
    ) as stream:
        assert "".join(stream.text_stream) == "You said: five six"
    ledger = metered.provider.ledger[before:]
    billed = [(one.model, one.input_tokens, one.output_tokens) for one in ledger]
    calls = metered.calls()
    assert [(one["model"], one["input_tokens"], one["output_tokens"]) for one in calls] == billed
    assert {one["capture"] for one in calls} == {"wire"}
    assert [(one["provider"], one["session_id"], one["agent"]) for one in calls] == [
        ("openai", None, None),
        ("openai", None, None),
        ("anthropic", "s1", "subagent"),
    ]
    assert (calls[2]["task_name"], calls[2]["role"]) == ("claude-code", "subagent")


def test_calls_of_a_program_that_is_recorded_count_once_and_in_its_task(metered: _Metered):
    metered.provider.script("One two", Failure(429))
    program = [sys.executable, "-c", _PROGRAM, str(metered.home), f"{metered.url}/openai/v1"]
    subprocess.run(program, check=True)
    told = [(one["task_name"], one["status"], one["output_tokens"]) for one in metered.calls()]
    assert told == [("program", "ok", 2), ("program", "error", None)]


def test_calls_of_one_session_are_one_task(metered: _Metered):
    for session in ("s3", "s4", "s3"):
        httpx.post(
            f"{metered.url}/anthropic/v1/messages",
            headers={"x-claude-code-session-id": session},
            json={
                "model": "claude-opus-4-8",
                "max_tokens": 9,
                "messages": [{"role": "user", "content": "hi"}],
            },
        ).raise_for_status()
    assert [one["session_id"] for one in metered.calls()] == ["s3", "s4", "s3"]
    with agenttrace.read(metered.home) as reader:
        assert len(reader.query("FROM task_fact WHERE session_id IN ('s3', 's4')")) == 2


def test_errors_of_the_provider_are_passed_on_as_they_are(metered: _Metered):
    metered.provider.script(Failure(429))
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": "Bearer test"}
    through = httpx.post(f"{metered.url}/openai/v1/chat/completions", json=body, headers=headers)
    metered.provider.script(Failure(429))
    direct = httpx.post(f"{metered.provider.url}/v1/chat/completions", json=body, headers=headers)
    assert through.status_code == direct.status_code == 429
    assert through.json() == direct.json()
    [call] = metered.calls()
    assert call["status"] == "error"


def test_a_page_that_is_not_of_this_machine_is_refused(metered: _Metered):
    answer = httpx.get(f"{metered.url}/openai/v1/models", headers={"host": "evil.example"})
    assert answer.status_code == 403


def test_a_path_without_a_provider_names_those_there_are(metered: _Metered):
    answer = httpx.get(f"{metered.url}/v1/models")
    assert answer.status_code == 404
    assert "/anthropic" in answer.json()["error"]["message"]


def test_no_key_and_no_word_is_kept(metered: _Metered):
    httpx.post(
        f"{metered.url}/openai/v1/chat/completions",
        headers={"authorization": "Bearer sk-very-secret"},
        json={"model": "gpt-5", "messages": [{"role": "user", "content": "a strange word"}]},
    ).raise_for_status()
    kept = b"".join(path.read_bytes() for path in metered.home.rglob("*") if path.is_file())
    assert b"gpt-5" in kept
    assert b"secret" not in kept
    assert b"strange" not in kept


class _Upstream:
    """Answers one request by hand, so that its bytes are known."""

    def __init__(self, *pieces: bytes | None) -> None:
        self.pieces: queue.Queue[bytes | None] = queue.Queue()
        for piece in pieces:
            self.pieces.put(piece)
        self.received = b""
        self.is_hung_up = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(10)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End its thread, which would fail in somebody else's test."""
        self.pieces.put(None)
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        with self._listening, contextlib.suppress(TimeoutError):
            connection, _ = self._listening.accept()
            with connection:
                while not self._is_whole():
                    self.received += connection.recv(65536)
                try:
                    while (piece := self.pieces.get()) is not None:
                        connection.sendall(piece)
                except OSError:
                    self.is_hung_up.set()

    def _is_whole(self) -> bool:
        head, end, body = self.received.partition(b"\r\n\r\n")
        if b"content-length: " not in head.lower():
            return bool(end)
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return len(body) >= length


@pytest.fixture
def upstream() -> Iterator[Callable[..., _Upstream]]:
    """Begins an upstream that sends the pieces it is given, and waits for more until ``None``."""
    with contextlib.ExitStack() as stack:

        def begin(*pieces: bytes | None) -> _Upstream:
            one = _Upstream(*pieces)
            stack.callback(one.close)
            return one

        yield begin


@pytest.fixture
def home_meter(home: Path) -> Iterator[Callable[[str], str]]:
    """A meter in this process, for what counts nothing."""
    with contextlib.ExitStack() as stack:

        def begin(url: str) -> str:
            return stack.enter_context(metering(home, port=0, upstreams={"else": url}))

        yield begin


def _exchange(url: str, request: bytes) -> socket.socket:
    where = httpx.URL(url)
    connection = socket.create_connection((where.host, where.port or 80), timeout=10)
    connection.sendall(request)
    return connection


def test_bytes_go_both_ways_unchanged(
    home_meter: Callable[[str], str], upstream: Callable[..., _Upstream]
):
    packed = b"\x1f\x8b not really packed \x00\xff"
    served = upstream(
        b"HTTP/1.1 418 \r\ncontent-encoding: gzip\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n"
        b"date: yesterday\r\nconnection: close, x-hop\r\nx-hop: 1\r\ncontent-length: %d\r\n\r\n%s"
        % (len(packed), packed),
        None,
    )
    url = home_meter(served.url)
    with _exchange(
        url,
        b"PUT /else/a%2Fb/c?x=%20y&z HTTP/1.1\r\nhost: localhost\r\nX-Own: \xe9\r\n"
        b"accept-encoding: br\r\ncontent-length: 5\r\nconnection: close\r\n\r\n\x00\x01\xff{}",
    ) as connection:
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = served.received.partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /a%2Fb/c?x=%20y&z HTTP/1.1\r\n")
    assert body == b"\x00\x01\xff{}"
    sent = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    assert sent == {b"host", b"x-own", b"accept-encoding", b"content-length"}
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == packed
    assert head.startswith(b"HTTP/1.1 418")
    said = [line for line in head.lower().split(b"\r\n")[1:] if not line.startswith(b"connection")]
    assert said == [
        b"content-encoding: gzip",
        b"set-cookie: a=1",
        b"set-cookie: b=2",
        b"date: yesterday",
        b"content-length: %d" % len(packed),
    ]


def test_a_stream_arrives_piece_by_piece(
    home_meter: Callable[[str], str], upstream: Callable[..., _Upstream]
):
    served = upstream(b"HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n")
    url = home_meter(served.url)
    with httpx.stream("GET", f"{url}/else/stream") as response:
        pieces = response.iter_raw()
        for word in (b"data: one\n\n", b"data: two\n\n"):
            # The next piece is sent only after this one has come out at the other end.
            served.pieces.put(b"%x\r\n%s\r\n" % (len(word), word))
            assert next(pieces) == word
        served.pieces.put(b"0\r\n\r\n")
        assert list(pieces) == []


def test_what_is_cut_off_does_not_look_whole(
    home_meter: Callable[[str], str], upstream: Callable[..., _Upstream]
):
    served = upstream(b"HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", None)
    url = home_meter(served.url)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{url}/else/stream")


def test_who_hangs_up_is_hung_up_on(
    home_meter: Callable[[str], str], upstream: Callable[..., _Upstream]
):
    served = upstream(b"HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n")
    url = home_meter(served.url)
    with httpx.stream("GET", f"{url}/else/stream") as response:
        assert next(response.iter_raw()) == b"hi"
    while not served.is_hung_up.wait(0.01):
        served.pieces.put(b"2\r\nhi\r\n")


def test_a_provider_that_is_away_is_told(home_meter: Callable[[str], str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = httpx.get(f"{home_meter(f'http://127.0.0.1:{port}')}/else/x")
    assert answer.status_code == 502
    assert answer.json()["error"]["message"] == "127.0.0.1 cannot be reached: ConnectError."


def test_a_port_that_is_taken_is_said(home: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match="with --port"), metering(home, port=port):
            pass


@pytest.mark.parametrize("how", ["held", "streamed"])
def test_a_body_without_a_length_arrives_whole(
    home_meter: Callable[[str], str], upstream: Callable[..., _Upstream], how: str
):
    served = upstream(b"HTTP/1.1 204 \r\n\r\n")
    url = home_meter(served.url)
    path = "/v1/chat/completions" if how == "held" else "/v1/files"
    answer = httpx.post(f"{url}/else{path}", content=iter([b"one ", b"two"]))
    assert answer.status_code == 204
    if how == "held":
        assert served.received.endswith(b"Content-Length: 7\r\n\r\none two")


@pytest.mark.parametrize("url", ["ftp://x", "nowhere", "http://"])
def test_an_upstream_that_is_no_url_is_refused(url: str):
    with pytest.raises(ConfigError, match="is no provider to pass on to"):
        Meter({"own": url})


def test_what_it_needs_is_said_if_missing(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "httptools", None)
    with pytest.raises(MissingDependencyError, match=r"extra serve, .*: httptools"), metering(home):
        pass


def test_the_command_says_where_it_listens_and_stops_when_told(tmp_path: Path):
    script = "import sys; from agenttrace.cli.meter import meter; meter(obj=None)"
    with subprocess.Popen(
        [sys.executable, "-c", script, "--port", "0", "--upstream", "own=http://127.0.0.1:9"],
        env=os.environ | {"AGENTTRACE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Metering at http://127.0.0.1:")
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
