"""A small HTTP/2 server without TLS, for a client that knows what to expect."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded


@contextlib.contextmanager
def serving(bodies: Mapping[str, bytes]) -> Iterator[str]:
    """Answer each request with the body of the type that it accepts; yields the address."""
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve, args=(listening, bodies), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)


def _serve(listening: socket.socket, bodies: Mapping[str, bytes]) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listening.accept()
            with connection:
                _talk(connection, bodies)


def _talk(connection: socket.socket, bodies: Mapping[str, bytes]) -> None:
    protocol = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    protocol.initiate_connection()
    connection.sendall(protocol.data_to_send())
    accepted: dict[int, str] = {}
    while data := connection.recv(65536):
        for event in protocol.receive_data(data):
            if isinstance(event, RequestReceived):
                accepted[event.stream_id] = dict(event.headers)["accept"]
            elif isinstance(event, StreamEnded):
                content_type = accepted[event.stream_id]
                head = [(":status", "200"), ("content-type", content_type)]
                protocol.send_headers(event.stream_id, head)
                protocol.send_data(event.stream_id, bodies[content_type], end_stream=True)
        connection.sendall(protocol.data_to_send())
