"""The meter at websockets: conversations with a model, by threads and by asyncio."""

import gc
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import agenttrace
from agenttrace.record.wire import conversation

websockets = pytest.importorskip("websockets")
server_module = pytest.importorskip("websockets.sync.server")
client_module = pytest.importorskip("websockets.sync.client")
asyncio_client = pytest.importorskip("websockets.asyncio.client")

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

ASK = json.dumps({"type": "response.create", "response": {}})
CREATED = json.dumps({"type": "response.created", "response": {"id": "resp-1"}})
DONE = json.dumps(
    {
        "type": "response.done",
        "response": {
            "id": "resp-1",
            "status": "completed",
            "model": "gpt-realtime",
            "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
        },
    }
)
SOUND = bytes(range(256)) * 100


class Peer:
    """Answers each message with what it is told to; ``heard`` has the messages as they came."""

    def __init__(self) -> None:
        self.heard: list[str | bytes] = []
        self.answers: list[Any] = [CREATED, SOUND, DONE]
        self.leaves = False
        self._server = server_module.serve(self._talk, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _talk(self, connection: Any) -> None:
        for message in connection:
            self.heard.append(message)
            for answer in self.answers:
                connection.send(answer)
            if self.leaves:
                connection.close_socket()
                return

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()


@pytest.fixture
def peer() -> Iterator[Peer]:
    running = Peer()
    yield running
    running.close()


def usage(record: dict[str, Any]) -> tuple[Any, Any, Any]:
    attributes = record["attributes"]
    return (
        attributes["agenttrace.usage"],
        attributes.get("gen_ai.usage.input_tokens"),
        attributes.get("gen_ai.usage.output_tokens"),
    )


def test_a_conversation_in_a_thread_is_counted(peer: Peer, spooled: Spooled) -> None:
    with (
        agenttrace.task("t", id="t-1"),
        client_module.connect(peer.url + "/v1/realtime?model=gpt-realtime") as connection,
    ):
        connection.send(ASK)
        assert [connection.recv() for _ in range(3)] == [CREATED, SOUND, DONE]
    assert peer.heard == [ASK]
    call = next(r for r in spooled() if r["attributes"]["agenttrace.kind"] == "inference")
    assert usage(call) == ("reported", 3, 2)
    assert call["attributes"]["task.id"] == "t-1"
    assert call["attributes"]["server.address"] == "127.0.0.1"


async def test_a_conversation_in_asyncio_is_counted(peer: Peer, spooled: Spooled) -> None:
    async with asyncio_client.connect(peer.url + "/v1/responses") as connection:
        for _ in range(2):
            await connection.send(ASK)
            found = [await connection.recv(decode=False) for _ in range(3)]
            assert found == [CREATED.encode(), SOUND, DONE.encode()]
    assert peer.heard == [ASK] * 2
    assert len(spooled()) == 2
    assert usage(spooled()[1]) == ("reported", 3, 2)


async def test_messages_in_fragments_stay_so_and_are_counted(peer: Peer, spooled: Spooled) -> None:
    peer.answers = [[CREATED[:9], CREATED[9:]], [DONE[:5], DONE[5:40], DONE[40:]]]
    async with asyncio_client.connect(peer.url + "/v1/realtime") as connection:
        await connection.send(iter([ASK[:4], ASK[4:]]))
        pieces = [[piece async for piece in connection.recv_streaming()] for _ in peer.answers]
    assert ["".join(message) for message in pieces] == [CREATED, DONE]
    assert [piece for piece in pieces[1] if piece] == [DONE[:5], DONE[5:40], DONE[40:]]
    assert peer.heard == [ASK]
    assert [usage(record) for record in spooled()] == [("reported", 3, 2)]


def test_iterating_ends_as_before(peer: Peer, spooled: Spooled) -> None:
    peer.leaves = True
    with client_module.connect(peer.url + "/v1/realtime") as connection:
        connection.send(ASK)
        found = []
        with pytest.raises(websockets.exceptions.ConnectionClosedError):
            found += [connection.recv() for _ in range(4)]
    assert len(spooled()) == 1


def talk(connection: Any) -> list[Any]:
    connection.send(ASK)
    return list(connection)


def test_a_connection_that_breaks_inside_a_response_is_recorded(
    peer: Peer, spooled: Spooled
) -> None:
    peer.answers, peer.leaves = [CREATED], True
    with (
        client_module.connect(peer.url + "/v1/realtime") as connection,
        pytest.raises(websockets.exceptions.ConnectionClosedError),
    ):
        talk(connection)
    (record,) = spooled()
    assert record["attributes"]["error.type"] == "ConnectionClosedError"
    assert record["attributes"]["agenttrace.outcome"] == "incomplete"


async def test_closing_early_leaves_the_response(peer: Peer, spooled: Spooled) -> None:
    peer.answers = [CREATED]
    async with asyncio_client.connect(peer.url + "/v1/realtime") as connection:
        await connection.send(ASK)
        assert await connection.recv() == CREATED
    (record,) = spooled()
    assert record["attributes"]["agenttrace.outcome"] in ("abandoned", "incomplete")


def test_a_conversation_still_open_at_shutdown_is_recorded_as_it_stands(
    peer: Peer, spooled: Spooled
) -> None:
    peer.answers = [CREATED]
    with client_module.connect(peer.url + "/v1/realtime") as connection:
        connection.send(ASK)
        connection.recv()
        agenttrace.shutdown()
        assert len(spooled()) == 1


def test_a_refused_handshake_is_no_call(spooled: Spooled) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - the system's words differ
        client_module.connect("ws://127.0.0.1:9/v1/realtime")
    assert spooled() == []


def test_other_connections_are_left_alone(peer: Peer, spooled: Spooled) -> None:
    with client_module.connect(peer.url + "/chat") as connection:
        connection.send(ASK)
        assert connection.recv() == CREATED
        assert "_agenttrace_conversation" not in vars(connection.protocol)
    assert spooled() == []


def test_shutdown_takes_the_hooks_out(home: Any) -> None:
    protocol: Any = pytest.importorskip("websockets.client").ClientProtocol
    assert hasattr(protocol.send_frame, "__wrapped__")
    agenttrace.shutdown()
    assert not hasattr(protocol.send_frame, "__wrapped__")
    assert "send_frame" not in vars(protocol)


@pytest.mark.parametrize("hook", ["send_frame", "events_received"])
def test_a_hook_that_another_tracer_keeps_in_place_does_nothing_any_more(
    peer: Peer, spooled: Spooled, traced_by_another: Any, hook: str
) -> None:
    traced_by_another(pytest.importorskip("websockets.client").ClientProtocol, hook)
    with client_module.connect(peer.url + "/v1/realtime") as connection:
        connection.send(json.dumps({"type": "response.create", "model": "gpt-asked"}))
        assert [connection.recv() for _ in range(3)] == [CREATED, SOUND, DONE]
    (record,) = spooled()
    assert usage(record) == ("reported", 3, 2)
    assert record["attributes"]["gen_ai.request.model"] == "gpt-asked"


def test_a_broken_meter_changes_nothing_for_the_program(
    peer: Peer, monkeypatch: Any, trouble: list[str]
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("broken on purpose")

    for name in ("sent", "received", "close"):
        with monkeypatch.context() as patch:
            patch.setattr(conversation.Conversation, name, broken)
            with client_module.connect(peer.url + "/v1/realtime") as connection:
                connection.send(ASK)
                assert [connection.recv() for _ in range(3)] == [CREATED, SOUND, DONE]
            del connection
            gc.collect()
    assert trouble
    assert not any("on purpose" in message for message in trouble)
