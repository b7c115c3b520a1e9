"""Install the meter at every transport, now or when the program imports it."""

import contextlib
import functools
import importlib
import weakref
from collections.abc import Callable, Generator
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

import wrapt  # pyright: ignore[reportMissingTypeStubs] - it has none

from agenttrace.record import trouble

if TYPE_CHECKING:
    from agenttrace.record.wire.exchange import Exchange

TRANSPORTS: Final = {
    "httpx2": "httpx_clients",
    "httpx": "httpx_clients",
}
"""Import name of a transport -> its adapter in ``transports``."""

_ADAPTERS: Final = "agenttrace.record.wire.transports"

_when_imported: Final = cast(
    "Callable[[Callable[[ModuleType], None], str], None]",
    wrapt.register_post_import_hook,  # pyright: ignore[reportUnknownMemberType] - no stubs
)


class Meter:
    """The hooks that are in, and the exchanges that are under way."""

    def __init__(self) -> None:
        self._hooks = contextlib.ExitStack()
        self._under_way: dict[int, weakref.ref[Exchange]] = {}
        self._on = True

    def hook(self, module: ModuleType) -> None:
        """Meter a transport that has just been imported."""
        with trouble.Guard(f"hooking into {module.__name__}"):
            if self._on:
                adapter = importlib.import_module(f"{_ADAPTERS}.{TRANSPORTS[module.__name__]}")
                self._hooks.enter_context(adapter.hooked(module, self.follow))

    def follow(self, exchange: "Exchange") -> None:
        """Remember *exchange* until it is over or nobody holds it any more."""
        key = id(exchange)
        self._under_way[key] = weakref.ref(exchange, lambda _: self._under_way.pop(key, None))

    def remove(self) -> None:
        """Take out the hooks; what is still under way is recorded as it stands."""
        self._on = False
        self._hooks.close()
        for reference in list(self._under_way.values()):
            exchange = reference()
            if exchange is not None:
                exchange.end(left=True)


@contextlib.contextmanager
def installed() -> Generator[None]:
    """Meter every transport that is or will be imported."""
    meter = Meter()
    for name in TRANSPORTS:
        _when_imported(functools.partial(Meter.hook, meter), name)
    try:
        yield
    finally:
        meter.remove()
