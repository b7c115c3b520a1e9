"""Find the receiver that already runs on this machine for a home."""

import contextlib
import hashlib
import http.client
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from agenttrace.server.guard import is_loopback

NAME: Final = "serve.json"
"""In the home: where its receiver is, as long as there is one."""

HTTP_PORT: Final = 4318
GRPC_PORT: Final = 4317
WAIT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """A receiver that answered.

    Attributes:
        http_url: Where it takes OTLP over HTTP.
        grpc_url: Where it takes OTLP over gRPC.
        version: Of agenttrace.
        asks_for_token: It takes nothing without its token.
    """

    http_url: str
    grpc_url: str
    version: str
    asks_for_token: bool = False


def find(home: Path, *, seconds: float = WAIT_SECONDS) -> Found | None:
    """Return the receiver of *home* on this machine; None if none answers.

    Args:
        home: Folder of the data.
        seconds: How long to wait for an answer.
    """
    said = _noted(home)
    url = said.get("http_url") or f"http://127.0.0.1:{HTTP_PORT}"
    health = _health(url, seconds)
    if health is None or health.get("home") != home_hash(home):
        return None
    return Found(
        http_url=url,
        grpc_url=said.get("grpc_url") or f"http://127.0.0.1:{GRPC_PORT}",
        version=str(health.get("version", "")),
        asks_for_token="received" not in health,
    )


def holder(home: Path, port: int) -> str:
    """Say in a sentence who may have *port*, which is taken."""
    found = find(home)
    if found and port in (urlsplit(found.http_url).port, urlsplit(found.grpc_url).port):
        return "The agenttrace serve that receives for this folder has it."
    return "Is agenttrace serve running already, or a collector?"


def home_hash(home: Path) -> str:
    """Return what tells one home from another, without saying where it is."""
    return hashlib.blake2b(str(home.resolve()).encode(), digest_size=8).hexdigest()


def note(home: Path, http_url: str, grpc_url: str) -> None:
    """Leave a note where the receiver of *home* is; without one it is found at its usual ports."""
    said = json.dumps({"http_url": http_url, "grpc_url": grpc_url, "pid": os.getpid()})
    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / NAME).write_text(said + "\n", encoding="utf-8")


def forget(home: Path, http_url: str) -> None:
    """Remove the note, unless another receiver has left its own."""
    if _noted(home).get("http_url") == http_url:
        with contextlib.suppress(OSError):
            (home / NAME).unlink(missing_ok=True)


def _noted(home: Path) -> dict[str, str]:
    try:
        said: Any = json.loads((home / NAME).read_text(encoding="utf-8"))
        return {key: value for key, value in said.items() if isinstance(value, str)}
    except (OSError, ValueError, AttributeError):
        return {}


def _health(url: str, seconds: float) -> dict[str, Any] | None:
    where = urlsplit(url)
    if where.hostname is None or not is_loopback(where.hostname):
        return None  # whoever can write to the home shall not send us elsewhere
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=seconds)
    try:
        connection.request("GET", "/health")
        said: Any = json.loads(connection.getresponse().read(1024 * 1024))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return cast("dict[str, Any]", said) if isinstance(said, dict) else None
