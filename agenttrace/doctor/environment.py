"""What is installed here, and whether a receiver runs."""

import importlib.util
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from agenttrace import __version__
from agenttrace.doctor import telemetry
from agenttrace.doctor.findings import Finding, Machine, listed

_SERVING: Final = ("httptools", "httpx", "prometheus_client", "starlette", "uvicorn", "watchfiles")


def versions(machine: Machine) -> Iterator[Finding]:
    """Say which versions of what matters are here."""
    del machine
    yield Finding("Versions", "agenttrace", __version__)
    yield Finding("Versions", "Python", f"{platform.python_version()}, {platform.platform()}")
    for title, name in (("DuckDB", "duckdb"), ("OpenTelemetry SDK", "opentelemetry-sdk")):
        found = _version(name)
        if found is None:
            mend = 'pip install "/path/to/this/checkout"'
            yield Finding("Versions", title, "is not installed", "broken", mend)
        else:
            yield Finding("Versions", title, found)


def extras(machine: Machine) -> Iterator[Finding]:
    """Say whether what receives and watches is installed."""
    del machine
    missing = [name for name in _SERVING if importlib.util.find_spec(name) is None]
    if missing:
        says = f"`serve`, `meter` and `import --watch` lack {listed(missing)}"
        mend = 'pip install "/path/to/this/checkout[serve]"'
        yield Finding("Versions", "Receiving", says, "note", mend)


def integrations(machine: Machine) -> Iterator[Finding]:
    """Say which frameworks are here that agenttrace can hook, and which of them are too old.

    Raises:
        ConfigError: An integration cannot be loaded.
    """
    del machine
    from packaging.version import InvalidVersion, Version

    from agenttrace import integration

    for name, kind in integration.available().items():
        here = kind.installed_version() if kind.is_installed() else None
        if here is None:
            continue
        oldest, newest = kind.tested
        says = f"{kind.distribution} {here}, tested with {oldest} to {newest}"
        try:
            is_old = Version(here) < Version(oldest)
        except InvalidVersion:
            is_old = False
        mend = f'pip install "{kind.distribution}>={oldest}"' if is_old else None
        yield Finding("Versions", name, says, "note" if is_old else "ok", mend)


def receiver(machine: Machine) -> Iterator[Finding]:
    """Say whether a receiver for these data runs on this machine."""
    if not all(importlib.util.find_spec(name) for name in _SERVING):
        return
    try:
        from agenttrace.server import find
    except ImportError:
        return
    found: Any = find(machine.home)
    if found is None:
        senders = telemetry.sent_here(machine)
        says = "none runs for these data"
        if senders:
            says += f", and {listed(senders)} may be sending to nobody"
        mend = "`agenttrace serve` starts one; `agenttrace run -- COMMAND` does so by itself."
        yield Finding("Telemetry", "Receiver", says, "warning" if senders else "ok", mend)
        return
    where = [url for name in ("http_url", "grpc_url") if (url := getattr(found, name, None))]
    yield Finding("Telemetry", "Receiver", f"runs at {listed([str(one) for one in where])}")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
