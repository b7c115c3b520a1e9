"""Install the meter at every transport, now or when the program imports it."""

import contextlib
import functools
import importlib
import weakref
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Final, Protocol

from agenttrace.record.patch import when_imported

TRANSPORTS: Final = {
    "httpx2": "httpx_clients",
    "httpx": "httpx_clients",
    "urllib3": "urllib3_pools",
    "aiohttp": "aiohttp_sessions",
    "websockets.client": "websockets_connections",
    "grpc": "grpc_calls",
}
"""Import name of a transport -> its adapter in ``transports``."""

_ADAPTERS: Final = "agenttrace.record.wire.transports"


class Followed(Protocol):
    """What is under way: one exchange, or a conversation."""

    def end(self, *, left: bool = False) -> None:
        """Record it as it stands."""
        ...


class Following:
    """All that has begun at a transport and not ended yet."""

    def __init__(self) -> None:
        self._followed: dict[int, weakref.ref[Followed]] = {}

    def follow(self, followed: Followed) -> None:
        """Remember it until it is over or nobody holds it any more."""
        key = id(followed)
        self._followed[key] = weakref.ref(followed, lambda _: self._followed.pop(key, None))

    def end(self) -> None:
        """Record what is still under way as it stands."""
        for reference in list(self._followed.values()):
            followed = reference()
            if followed is not None:
                followed.end(left=True)


@contextlib.contextmanager
def installed() -> Generator[None]:
    """Meter every transport that is or will be imported."""
    following = Following()
    try:
        with contextlib.ExitStack() as hooks:
            for name, adapter in TRANSPORTS.items():
                hooked = functools.partial(_hooked, adapter, following.follow)
                hooks.enter_context(when_imported(name, hooked))
            yield
    finally:
        following.end()


def _hooked(
    adapter: str, follow: Callable[[Followed], None], module: ModuleType
) -> AbstractContextManager[None]:
    return importlib.import_module(f"{_ADAPTERS}.{adapter}").hooked(module, follow)
