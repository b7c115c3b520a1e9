"""Run a receiver in threads of this process, until it is left."""

import contextlib
import socket
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agenttrace import config
from agenttrace.errors import ConfigError
from agenttrace.record.spool import Spool
from agenttrace.server import finding, missing
from agenttrace.server.finding import GRPC_PORT, HTTP_PORT
from agenttrace.server.guard import Guard
from agenttrace.server.limits import Limits

if TYPE_CHECKING:
    from agenttrace.server.forwarding import Forwarding, Target
    from agenttrace.server.receiver import Receiver

SERVICE: Final = "agenttrace-serve"  # of the segments; each record says whose it is
FORWARD_FOLDER: Final = "forward"
# Names and addresses by which a client means the machine that it runs on; nothing listens on them.
_HERE: Final = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104


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
    is_found: bool = True,
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
        is_found: Let others find it, for it stays as long as they may need it.

    Raises:
        ConfigError: A port is taken, *host* needs a token, or it would forward to itself.
        MissingDependencyError: What it is made of is not installed.
    """
    needed()
    from agenttrace.server import rpc as grpc_server
    from agenttrace.server.folding import Folding
    from agenttrace.server.listening import STOP_SECONDS, listen, look_whether_free, serving
    from agenttrace.server.metrics import Metrics
    from agenttrace.server.receiver import Receiver
    from agenttrace.server.web import application

    settings = config.load(home)
    guard = Guard(host, token)
    most = limits or Limits()
    with ExitStack() as stack:

        def holder(port: int) -> str:
            return finding.holder(settings.home, port)

        sockets = listen(host, http_port, "--http-port", holder)
        for one in sockets:
            stack.callback(one.close)
        rpc = grpc_server.server(most)
        stack.callback(lambda: rpc.stop(None).wait())
        addresses = [one.getsockname()[0] for one in sockets]
        look_whether_free(addresses, grpc_port, "--grpc-port", holder)
        rpc_port = grpc_server.listen(rpc, addresses, grpc_port)
        urls = {
            "http_url": _url(addresses[0], sockets[0].getsockname()[1]),
            "grpc_url": _url(addresses[0], rpc_port),
        }
        forwarding = _forwarding(settings.home, forward)
        if forwarding is not None:
            stack.callback(forwarding.close)
        if forward is not None:
            _refuse_itself(forward.url, addresses, [sockets[0].getsockname()[1], rpc_port])
        spool = Spool(
            settings.spool,
            SERVICE,
            durability="record",  # the names of new segments outlive a power failure, too
            max_bytes=settings.max_spool_bytes,
            is_retold=True,
        )
        receiver = Receiver(settings.home, spool, most, forwarding)
        stack.callback(receiver.close)
        if is_folding:
            folding = Folding(settings.home, lambda: receiver.last_received)
            stack.callback(folding.close)
        grpc_server.serve(rpc, receiver, guard)
        rpc.start()
        stack.callback(lambda: rpc.stop(STOP_SECONDS).wait())
        app = application(receiver, guard, urls, Metrics(receiver))
        stack.enter_context(serving(app, sockets))
        if is_found:
            finding.note(settings.home, **urls)
            stack.callback(finding.forget, settings.home, urls["http_url"])
        yield Running(**urls, receiver=receiver)


def needed() -> None:
    """Look whether all is installed.

    Raises:
        MissingDependencyError: Something is not.
    """
    missing.needed("the receiver", "grpc", "httptools", "prometheus_client", "starlette", "uvicorn")


def _forwarding(home: Path, target: "Target | None") -> "Forwarding | None":
    if target is None:
        return None
    from agenttrace.server.forwarding import Forwarding, queue_name

    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Forwarding(home / FORWARD_FOLDER / queue_name(target.url), target)


def _refuse_itself(target: str, addresses: Sequence[str], ports: Sequence[int]) -> None:
    import httpx  # it is here, for what forwards needs it

    url = httpx.URL(target)
    if url.host in {*_HERE, socket.gethostname(), *addresses} and url.port in ports:
        raise ConfigError(
            f"port {url.port} of this machine is where this receiver listens: what it passes on "
            "there would come back. Forward to another endpoint."
        )


def _url(address: str, port: int) -> str:
    # What listens everywhere is reached from here by loopback.
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
