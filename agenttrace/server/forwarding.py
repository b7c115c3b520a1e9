"""Pass on what was received, unchanged, to another OTLP endpoint over HTTP.

Receiving never waits for it: what is acknowledged lies in a queue, and one thread sends it from
there. An endpoint that is away is tried again, less and less often. The queue is in memory, for
agents may send what was said; only where the user wants it so, it is on the disk, and there after
a restart. Nothing is sent twice unless the receiver is killed between an answer and its own note.
"""

import email.utils
import logging
import os
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from agenttrace.errors import ConfigError
from agenttrace.server import missing
from agenttrace.server.keeping import Message
from agenttrace.server.outbox import Outbox
from agenttrace.server.waiting import Waiting

if TYPE_CHECKING:
    import httpx

logger: Final = logging.getLogger("agenttrace")

QUEUE_BYTES: Final = 128 * 1024 * 1024
FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 60.0
SEND_SECONDS: Final = 30.0

_LOCK: Final = "lock"  # in the folder of a queue that is kept; who sends from it holds it
_RETRYABLE: Final = frozenset({408, 429, 502, 503, 504})
_OK: Final = range(200, 300)
_LAST_PORT: Final = 65_535


class Change(Protocol):
    """What is done to a message before it is sent."""

    def __call__(self, message: Message) -> Message:
        """Return what is sent instead of *message*; itself where nothing is to be done."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where to.

    Attributes:
        url: Of the endpoint; ``/v1/traces`` and the like are put behind it.
        headers: Sent with everything, such as Authorization.
        queue_bytes: What the queue may hold; beyond it the oldest is dropped.
        is_kept: The queue is on the disk, with all that agents send, and outlives the receiver.
        change: What is done to each message first.
    """

    url: str
    headers: Mapping[str, str]
    queue_bytes: int = QUEUE_BYTES
    is_kept: bool = False
    change: Change | None = None


class Forwarding:
    """The queue of one target, and the thread that sends it.

    Attributes:
        sent: Requests that the target took.
        refused: Requests that it will never take, so that they were dropped.
    """

    def __init__(self, folder: Path, target: Target) -> None:
        """Open the queue, and send what an earlier receiver left.

        Args:
            folder: Where the queue is, if it is kept.
            target: Where to.

        Raises:
            MissingDependencyError: httpx is not installed.
            ConfigError: The target's URL is none, or another receiver sends from this queue.
        """
        self._client = _client(target)
        self._target = target
        self._lock = _locked(folder, target) if target.is_kept else None
        size = target.queue_bytes
        self._outbox = Outbox(folder, size) if target.is_kept else Waiting(size)
        self._stop = threading.Event()
        self.sent = 0
        self.refused = 0
        self._said: str | None = None
        self._said_dropped = 0
        self._thread = threading.Thread(target=self._run, name="agenttrace-forward", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Requests that found no room in the queue, or lost it."""
        return self._outbox.dropped

    @property
    def waiting_bytes(self) -> int:
        """Bytes in the queue."""
        return self._outbox.bytes

    def add(self, messages: Sequence[Message]) -> None:
        """Put messages into the queue; never fails."""
        self._outbox.put(messages)
        if self._outbox.dropped > self._said_dropped:
            self._say(f"The queue for {shown(self._target.url)} is full: the oldest is dropped.")
            self._said_dropped = self._outbox.dropped

    def health(self) -> dict[str, Any]:
        """Return how it is, without a header."""
        return {
            "url": shown(self._target.url),
            "sent": self.sent,
            "refused": self.refused,
            "dropped": self.dropped,
            "waiting_bytes": self.waiting_bytes,
            "trouble": self._said,
        }

    def close(self, seconds: float = 2.0) -> None:
        """Send for *seconds* more; the rest stays in the queue."""
        self._outbox.wait_empty(seconds if self._said is None else 0)
        self._stop.set()
        self._outbox.close()
        self._thread.join(seconds)  # It may be waiting for an answer.
        if self._thread.is_alive():
            return
        self._client.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _run(self) -> None:
        while (entry := self._outbox.next()) is not None:
            try:
                self._deliver(entry)
            except Exception as error:  # noqa: BLE001 - the queue must go on
                self._say(f"A request was not passed on: {type(error).__name__}")
                self.refused += 1
                self._outbox.done()  # or it would come again, for ever and at once
            if self._stop.is_set():
                return

    def _deliver(self, message: Message) -> None:
        """Send one message until it is taken or refused for good, or this is stopped."""
        changed = self._changed(message)
        wait_s = FIRST_WAIT_SECONDS
        while not self._stop.is_set():
            told_s = self._send(changed)
            if told_s is None:
                self._outbox.done()
                return
            # Many receivers that lost the same endpoint shall not come back at one moment.
            pause_s = max(told_s, wait_s * random.uniform(0.5, 1.0))  # noqa: S311
            self._stop.wait(pause_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_SECONDS)

    def _changed(self, message: Message) -> Message:
        if self._target.change is None:
            return message
        try:
            return self._target.change(message)
        except Exception as error:  # noqa: BLE001 - it is the user's, whatever we do with it
            self._say(f"A request goes on as it is: {type(error).__name__}")
            return message

    def _send(self, message: Message) -> float | None:
        """Send *message* once; None if that is done with, else seconds that the target asks for."""
        import httpx

        headers = {**self._target.headers, "content-type": message.content_type}
        if message.encoding:
            headers["content-encoding"] = message.encoding
        url = f"{self._target.url.rstrip('/')}/v1/{message.signal}"
        try:
            answer = self._client.post(url, content=message.body, headers=headers)
        except httpx.HTTPError as error:
            self._say(f"{shown(self._target.url)} cannot be reached: {type(error).__name__}")
            return 0.0
        if answer.status_code in _OK:
            self.sent += 1
            self._said = None
            return None
        if answer.status_code in _RETRYABLE:
            self._say(f"{shown(self._target.url)} answers {answer.status_code}")
            return retry_after(answer.headers.get("retry-after"), time.time())
        self.refused += 1
        self._say(f"{shown(self._target.url)} refuses what is passed on: {answer.status_code}")
        return None

    def _say(self, what: str) -> None:
        """Say it once, until it is something else."""
        if what != self._said:
            self._said = what
            logger.warning("agenttrace serve: %s", what)


def queue_name(url: str) -> str:
    """Return the name of the folder with what waits for *url*; others must not get it."""
    return blake2b(url.encode(), digest_size=8).hexdigest()


def retry_after(said: str | None, now: float) -> float:
    """Return the seconds that a Retry-After header asks for; 0 where it asks for none.

    Args:
        said: The header: seconds, or a date.
        now: Seconds since 1970-01-01 UTC.
    """
    if not said:
        return 0.0
    if said.strip().isdecimal():
        seconds = float(said)
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(said).timestamp() - now
        except ValueError:
            return 0.0
    return min(max(seconds, 0.0), 3600.0)


def headers_of(said: Sequence[str]) -> dict[str, str]:
    """Read ``Name=value`` pairs, as OTEL_EXPORTER_OTLP_HEADERS has them.

    Raises:
        ConfigError: One has no ``=``.
    """
    found: dict[str, str] = {}
    for number, pair in enumerate(said, 1):
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            # Not what it says: it is likely to be a secret.
            raise ConfigError(f"header {number} to forward with is no NAME=VALUE.")
        found[name.strip().lower()] = value.strip()
    return found


def _client(target: Target) -> "httpx.Client":
    missing.needed("passing on what is received", "httpx")
    import httpx

    try:
        url = httpx.URL(target.url)
    except httpx.InvalidURL as error:
        raise ConfigError("the URL to forward to is none.") from error
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > _LAST_PORT:
        raise ConfigError(
            f"{shown(target.url)} is nowhere to forward to. Say it as https://host:4318, without "
            "/v1/traces."
        )
    return httpx.Client(timeout=SEND_SECONDS, follow_redirects=False)


def shown(url: str) -> str:
    """Return *url* without a name and password in it, or a query."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def _locked(folder: Path, target: Target) -> int | None:
    """Return what holds the lock of the queue in *folder* until it is closed.

    None where nothing can be locked: the queue says itself what it cannot write.
    """
    try:
        import fcntl

        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ConfigError(
            f"Another receiver passes on to {shown(target.url)} from the queue in {folder}. "
            "Stop it, or leave out --keep-queue."
        ) from error
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
