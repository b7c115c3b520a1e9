"""Run a receiver in threads of this process, until it is left."""

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agenttrace import config
from agenttrace.errors import ConfigError, MissingDependencyError
from agenttrace.record.spool import Spool
from agenttrace.server import finding
from agenttrace.server.finding import GRPC_PORT, HTTP_PORT
from agenttrace.server.guard import Guard
from agenttrace.server.limits import Limits

if TYPE_CHECKING:
    from agenttrace.server.forwarding import Target
    from agenttrace.server.receiver import Receiver

SERVICE: Final = "agenttrace-serve"  # of the segments; each record says whose it is
FORWARD_FOLDER: Final = "forward"

_LOOPBACK: Final = ("127.0.0.1", "::1")
_STOP_SECONDS: Final = 5
_BACKLOG: Final = 2048
_CONNECTIONS: Final = 2048
_IDLE_SECONDS: Final = 30  # longer than exporters pause


@dataclass(frozen=True, slots=True)
class Running:
    """A receiver that runs.

    Attributes:
        http_url: Where it takes OTLP over HTTP; ``/health`` and ``/metrics`` are there as well.
        grpc_url: Where it takes OTLP over gRPC.
        receiver: What it counts.
    """

    http_url: str
    grpc_url: str
    receiver: "Receiver"


@contextmanager
def running(
    home: Path,
    *,
    http_port: int = HTTP_PORT,
    grpc_port: int = GRPC_PORT,
    host: str | None = None,
    token: str | None = None,
    forward: "Target | None" = None,
    limits: Limits | None = None,
    is_folding: bool = True,
) -> Generator[Running]:
    """Receive until the block is left; what is acknowledged is in the spool of *home*.

    Args:
        home: Folder of the data.
        http_port: Port for HTTP; 0 for any that is free.
        grpc_port: Port for gRPC; 0 for any that is free.
        host: Address to listen on; this machine only, 127.0.0.1 and ::1, if not given.
        token: What clients must know; needed for any other *host*.
        forward: Where everything is passed on to.
        limits: What requests may be.
        is_folding: Fold now and then.

    Raises:
        ConfigError: A port is taken, or *host* needs a token.
        MissingDependencyError: What it is made of is not installed.
    """
    needed()
    from agenttrace.server import rpc as grpc_server
    from agenttrace.server.folding import Folding
    from agenttrace.server.receiver import Receiver

    settings = config.load(home)
    guard = Guard(host, token)
    most = limits or Limits()
    with ExitStack() as stack:
        sockets = listening(host, http_port)
        for one in sockets:
            stack.callback(one.close)
        rpc = grpc_server.server(most)
        stack.callback(lambda: rpc.stop(None).wait())
        addresses = [one.getsockname()[0] for one in sockets]
        rpc_port = grpc_server.listen(rpc, addresses, grpc_port)
        urls = {
            "http_url": _url(addresses[0], sockets[0].getsockname()[1]),
            "grpc_url": _url(addresses[0], rpc_port),
        }
        forwarding = _forwarding(settings.home, forward)
        if forwarding is not None:
            stack.callback(forwarding.close)
        spool = Spool(settings.spool, SERVICE, max_bytes=settings.max_spool_bytes, is_retold=True)
        receiver = Receiver(settings.home, spool, most, forwarding)
        stack.callback(receiver.close)
        if is_folding:
            folding = Folding(settings.home, lambda: receiver.last_received)
            stack.callback(folding.close)
        grpc_server.serve(rpc, receiver, guard)
        rpc.start()
        stack.callback(lambda: rpc.stop(_STOP_SECONDS).wait())
        stack.enter_context(_serving(receiver, guard, urls, sockets))
        finding.note(settings.home, **urls)
        stack.callback(finding.forget, settings.home, urls["http_url"])
        yield Running(**urls, receiver=receiver)


def needed() -> None:
    """Look whether all is installed.

    Raises:
        MissingDependencyError: Something is not.
    """
    try:
        import httptools
        import prometheus_client
        import starlette
        import uvicorn

        del httptools, prometheus_client, starlette, uvicorn
    except ImportError as error:
        raise MissingDependencyError(
            f"the receiver needs {error.name}. Install what it is made of from a checkout of "
            'agenttrace with `pip install "/path/to/this/checkout[serve]"`.'
        ) from error


def listening(host: str | None, port: int) -> list[socket.socket]:
    """Listen for HTTP, on one port of every address.

    Raises:
        ConfigError: The port is taken or not allowed, or the address is none of this machine.
    """
    wanted = _LOOPBACK if host in (None, "localhost") else (host,)
    found: list[socket.socket] = []
    try:
        for address in wanted:
            one = _listening(address, port, is_needed=not found)
            if one is not None:
                found.append(one)
                port = one.getsockname()[1]
    except OSError as error:
        for one in found:
            one.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise ConfigError(
                f"port {port} of {wanted[0]} is taken, or may not be listened on. Is agenttrace "
                "serve running already? Choose another with --http-port."
            ) from error
        raise ConfigError(
            f"{wanted[0]} is no address of this machine. Name one with --host."
        ) from error
    return found


def _listening(address: str, port: int, *, is_needed: bool) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        one = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        if is_needed:
            raise
        return None  # a machine without IPv6
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((address, port))
        one.listen(_BACKLOG)
    except OSError as error:
        one.close()
        if is_needed or error.errno == errno.EADDRINUSE:
            raise
        return None
    return one


@contextmanager
def _serving(
    receiver: "Receiver", guard: Guard, urls: dict[str, str], sockets: Sequence[socket.socket]
) -> Generator[None]:
    import uvicorn

    from agenttrace.server.metrics import Metrics
    from agenttrace.server.web import application

    server = uvicorn.Server(
        uvicorn.Config(
            application(receiver, guard, urls, Metrics(receiver)),
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="critical",  # its errors cite requests
            server_header=False,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
            limit_concurrency=_CONNECTIONS,
        )
    )
    thread = threading.Thread(
        target=server.run, args=(list(sockets),), name="agenttrace-http", daemon=True
    )
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.002)
        yield
    finally:
        server.should_exit = True
        thread.join(2 * _STOP_SECONDS)


def _forwarding(home: Path, target: "Target | None") -> Any:
    if target is None:
        return None
    # httpx takes a while to import, and few forward.
    from hashlib import blake2b

    from agenttrace.server.forwarding import Forwarding

    name = blake2b(target.url.encode(), digest_size=8).hexdigest()
    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Forwarding(home / FORWARD_FOLDER / name, target)


def _url(address: str, port: int) -> str:
    # What listens everywhere is reached from here by loopback.
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
