"""Listen for HTTP on one port of every address, and serve there in a thread."""

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from agenttrace.errors import ConfigError

STOP_SECONDS: Final = 5

_LOOPBACK: Final = ("127.0.0.1", "::1")
_BACKLOG: Final = 2048
_CONNECTIONS: Final = 2048
_IDLE_SECONDS: Final = 30  # longer than exporters pause
_TICK_SECONDS: Final = 0.1  # as uvicorn has it


def listen(
    host: str | None, port: int, option: str, holder: Callable[[int], str]
) -> list[socket.socket]:
    """Listen on *port* of *host*; of 127.0.0.1 and ::1 if that is None.

    Args:
        host: Name or address.
        port: 0 for any that is free.
        option: With which another port is chosen.
        holder: Says in a sentence who may have a port that is taken.

    Raises:
        ConfigError: The port is taken or not allowed, or the address is none of this machine.
    """
    wanted = _LOOPBACK if host is None or host == "localhost" else (host,)
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
        raise _refused(wanted[0], port, option, holder, error) from error
    return found


def look_whether_free(
    addresses: Sequence[str], port: int, option: str, holder: Callable[[int], str]
) -> None:
    """Look whether gRPC could listen there, for it prints what goes wrong by itself.

    Args:
        addresses: All of them.
        port: 0 is free always.
        option: With which another port is chosen.
        holder: Says in a sentence who may have a port that is taken.

    Raises:
        ConfigError: The port is taken or not allowed.
    """
    for address in addresses if port else ():
        try:
            one = _listening(address, port, is_needed=True)
        except OSError as error:
            raise _refused(address, port, option, holder, error) from error
        if one is not None:
            one.close()


def _refused(
    address: str, port: int, option: str, holder: Callable[[int], str], error: OSError
) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            f"port {port} of {address} is taken. {holder(port)} Choose another with {option}."
        )
    if error.errno == errno.EACCES:
        return ConfigError(
            f"port {port} of {address} may not be listened on. Choose another with {option}."
        )
    return ConfigError(f"{address} is no address of this machine. Name one with --host.")


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


class _Server(uvicorn.Server):
    """Stops at once when it is told to, rather than when it looks next."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()
        self._told: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop, self._told = asyncio.get_running_loop(), asyncio.Event()
        self.is_up.set()
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _TICK_SECONDS)

    def stop(self) -> None:
        """Finish what is under way, and stop; from any thread."""
        self.should_exit = True
        if self._loop is not None and self._told is not None:
            with contextlib.suppress(RuntimeError):  # It has stopped by itself.
                self._loop.call_soon_threadsafe(self._told.set)


@contextmanager
def serving(application: Any, sockets: Sequence[socket.socket]) -> Generator[None]:
    """Serve an ASGI application in a thread until the block is left."""
    server = _Server(
        uvicorn.Config(
            application,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="critical",  # its errors cite requests
            server_header=False,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
            limit_concurrency=_CONNECTIONS,
        )
    )
    thread = threading.Thread(
        target=server.run, args=(list(sockets),), name="agenttrace-http", daemon=True
    )
    thread.start()
    try:
        while not server.is_up.wait(_TICK_SECONDS) and thread.is_alive():
            pass
        yield
    finally:
        server.stop()
        thread.join(2 * STOP_SECONDS)
