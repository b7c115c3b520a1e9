"""Run the meter in a thread of this process, until it is left."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import agenttrace
from agenttrace.record import setup
from agenttrace.server import missing

PORT: Final = 4319
SERVICE: Final = "agenttrace-meter"
_STOP_SECONDS: Final = 5
_IDLE_SECONDS: Final = 75


@contextmanager
def metering(
    home: Path, *, port: int = PORT, upstreams: Mapping[str, str] | None = None
) -> Generator[str]:
    """Pass requests on until the block is left; yield the URL, without the name of a provider.

    It listens on this machine only: whoever can reach it can use the keys that are not its own.

    Args:
        home: Folder of the data.
        port: Port to listen on; 0 for any that is free.
        upstreams: URL by name, beside those that are known.

    Raises:
        ConfigError: The port is taken, or an upstream is no URL.
        MissingDependencyError: What it is made of is not installed.
    """
    missing.needed("the meter", "httptools", "httpx", "uvicorn")
    import uvicorn

    from agenttrace.server.meter import UPSTREAMS, Meter

    meter = Meter({**UPSTREAMS, **(upstreams or {})})
    setup.begin_for_others(home, SERVICE)
    with contextlib.ExitStack() as stack:
        sockets = _listening(port)
        for one in sockets:
            stack.callback(one.close)
        server = uvicorn.Server(
            uvicorn.Config(
                meter,
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="critical",  # its errors cite requests
                server_header=False,
                date_header=False,  # the provider's is passed on
                timeout_keep_alive=_IDLE_SECONDS,
                timeout_graceful_shutdown=_STOP_SECONDS,
            )
        )

        async def serve() -> None:
            await server.serve(sockets=sockets)
            await meter.close()

        thread = threading.Thread(
            target=asyncio.run, args=(serve(),), name="agenttrace-meter", daemon=True
        )
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.002)
            yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(2 * _STOP_SECONDS)
            agenttrace.shutdown()


def _listening(port: int) -> list[socket.socket]:
    from agenttrace.server.listening import listen  # leans on what may be missing

    return listen(None, port, "--port", lambda _: "Is agenttrace meter running already?")
