import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agenttrace.errors import ConfigError
from agenttrace.server import Found, find, finding, running
from tests.server.sending import call, get, kept, message, send


def serving(home: Path, **said):
    return running(home, **{"http_port": 0, "grpc_port": 0, "is_folding": False, **said})


def port(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_the_receiver_of_a_home_is_found_wherever_it_listens(home: Path) -> None:
    with serving(home) as server:
        found = find(home)
        assert found == Found(server.http_url, server.grpc_url, found.version if found else "")
    assert find(home) is None
    assert not (home / finding.NAME).exists()


def test_a_receiver_with_a_token_is_found_and_says_so(home: Path) -> None:
    with serving(home, token="known"):
        found = find(home)
    assert found is not None
    assert found.asks_for_token


def test_the_receiver_of_another_home_is_not_found(home: Path, tmp_path: Path) -> None:
    with serving(home):
        other = tmp_path / "other"
        other.mkdir()
        (other / finding.NAME).write_bytes((home / finding.NAME).read_bytes())
        assert find(other) is None


@pytest.mark.parametrize("note", ["", "[]", "{", '{"http_url": 1}', '{"http_url": "http://evil"}'])
def test_a_spoilt_note_finds_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, note: str
) -> None:
    monkeypatch.setattr(finding, "HTTP_PORT", 9)  # nobody listens there
    home.mkdir()
    (home / finding.NAME).write_text(note)
    assert find(home) is None


def test_a_note_leads_to_this_machine_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(
        finding.http.client, "HTTPConnection", lambda *said, **_: asked.append(said)
    )
    home.mkdir()
    (home / finding.NAME).write_text('{"http_url": "http://192.0.2.1:4318"}')
    assert find(home) is None
    assert asked == []


def test_a_taken_port_is_named_with_the_way_out(home: Path) -> None:
    with serving(home) as server:
        with (
            pytest.raises(ConfigError, match="--http-port"),
            serving(home, http_port=port(server.http_url)),
        ):
            pass
        with (
            pytest.raises(ConfigError, match="--grpc-port"),
            serving(home, grpc_port=port(server.grpc_url)),
        ):
            pass
        assert get(server.http_url, "/health").status == 200


def test_an_address_of_nobody_is_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match="--host"), serving(home, host="192.0.2.1", token="known"):
        pass


def test_it_listens_on_both_loopback_addresses(home: Path) -> None:
    with serving(home) as server:
        try:
            with socket.create_connection(("::1", port(server.http_url)), timeout=5):
                pass
        except OSError:
            pytest.skip("no IPv6 here")
        assert get(f"http://[::1]:{port(server.http_url)}", "/health").status == 200


def test_what_is_under_way_is_finished_when_it_stops(home: Path) -> None:
    began, go_on = threading.Event(), threading.Event()
    statuses: list[int] = []
    with serving(home) as server:
        spool = server.receiver._spool
        append_all = spool.append_all

        def slow(lines) -> None:
            began.set()
            assert go_on.wait(5)
            append_all(lines)

        spool.append_all = slow  # type: ignore[method-assign]
        body = message(call())
        client = threading.Thread(
            target=lambda: statuses.append(send(server.http_url, body=body).status)
        )
        client.start()
        assert began.wait(5)
        threading.Timer(0.05, go_on.set).start()
    client.join()
    assert statuses == [200]
    assert kept(home) == ["0000000000000001"]


def test_health_says_which_home_without_saying_where(home: Path) -> None:
    with serving(home) as server:
        said = json.loads(get(server.http_url, "/health").body)
    assert said["home"] == finding.home_hash(home)
    assert said["http_url"] == server.http_url


@pytest.mark.parametrize("option", ["--http-port", "--grpc-port"])
def test_a_taken_port_is_said_in_one_line_with_who_has_it(home: Path, option: str) -> None:
    with serving(home) as server:
        taken = port(server.http_url if option == "--http-port" else server.grpc_url)
        other = "--grpc-port" if option == "--http-port" else "--http-port"
        words = ["--store", str(home), "serve", option, str(taken), other, "0"]
        done = subprocess.run(
            [sys.executable, "-m", "agenttrace", *words], capture_output=True, text=True, timeout=60
        )
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == (
        f"Error: port {taken} of 127.0.0.1 is taken. The agenttrace serve that receives for this "
        f"folder has it. Choose another with {option}.\n"
    )
