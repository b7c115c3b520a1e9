"""A queue of messages on the disk, in files: bounded, and there after a restart.

A file holds what was put down at once, and more until it is large enough. Each message is a line of
JSON with its length, and its body. What has been sent of the oldest file is noted beside it.
"""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from agenttrace.server.keeping import Message
from agenttrace.sources.otlp import Signal

FILE_BYTES: Final = 4 * 1024 * 1024  # after which another is begun
SUFFIX: Final = ".queue"
_SENT: Final = "sent"  # which file, and how many bytes of it


class _Head(msgspec.Struct, frozen=True):
    signal: Signal
    content_type: str
    encoding: str
    size: int


@dataclass(slots=True)
class _File:
    path: Path
    size: int
    messages: int


class Outbox:
    """The queue; any thread puts, one takes.

    Attributes:
        dropped: Messages that found no room, or lost it to newer ones.
        bytes: What it holds on the disk.
    """

    def __init__(self, folder: Path, most: int) -> None:
        """Open it, with what an earlier process left.

        Args:
            folder: Where its files are.
            most: Bytes that it may hold.
        """
        self._folder = folder
        self._most = most
        self._file_bytes = min(FILE_BYTES, max(most // 8, 1))
        self._changed = threading.Condition()
        self._is_closed = False
        self._made = 0
        self.dropped = 0
        self._offset = 0  # of the oldest file: where the message under way begins
        self._next_offset = 0
        self._reading: _File | None = None
        self._files: deque[_File] = deque()
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._files.extend(_left(folder))
            self._offset = self._noted()
        self.bytes = sum(one.size for one in self._files)
        self._is_old = len(self._files)  # files of an earlier process, which are not added to

    def put(self, messages: Sequence[Message]) -> None:
        """Put messages behind the others; what the disk refuses counts as dropped."""
        data = b"".join(part for message in messages for part in _packed(message))
        with self._changed:
            try:
                file = self._newest(len(data))
                _append(file.path, data)
            except OSError:
                self.dropped += len(messages)
                self._is_old = len(self._files)  # Half a message may be at the end of the newest.
                return
            file.size += len(data)
            file.messages += len(messages)
            self.bytes += len(data)
            self._make_room()
            self._changed.notify_all()

    def next(self) -> Message | None:
        """Wait for the oldest message and return it; None once this is closed.

        It is the oldest until :meth:`done` says that it was sent.
        """
        while True:
            with self._changed:
                while not self._files and not self._is_closed:
                    self._changed.wait()
                if self._is_closed:
                    return None
                file = self._files[0]
                found = _message_at(file.path, self._offset)
                if found is not None:
                    self._reading = file
                    message, self._next_offset = found
                    return message
                self.dropped += file.messages  # Somebody has removed or spoilt it.
                self._remove_oldest()

    def done(self) -> None:
        """Let go of the message that :meth:`next` returned last."""
        with self._changed:
            # It may have been dropped meanwhile, with its file.
            if not self._files or self._files[0] is not self._reading:
                return
            file = self._files[0]
            self._offset = self._next_offset
            file.messages -= 1
            if self._offset >= file.size:
                self._remove_oldest()
            else:
                with contextlib.suppress(OSError):
                    note = f"{file.path.name} {self._offset}"
                    (self._folder / _SENT).write_text(note, encoding="ascii")
            self._changed.notify_all()

    def wait_empty(self, seconds: float) -> None:
        """Wait until everything was sent, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._files, seconds)

    def close(self) -> None:
        """Let who waits in :meth:`next` go."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _newest(self, needed: int) -> _File:
        """Return the file to add to, which the taker may be reading from."""
        if len(self._files) > self._is_old and self._files[-1].size + needed <= self._file_bytes:
            return self._files[-1]
        self._made += 1
        name = f"{time.time_ns():020}-{os.getpid()}-{self._made:09}{SUFFIX}"
        self._files.append(_File(self._folder / name, 0, 0))
        return self._files[-1]

    def _make_room(self) -> None:
        while self.bytes > self._most and self._files:
            self.dropped += self._files[0].messages
            self._remove_oldest()

    def _remove_oldest(self) -> None:
        file = self._files.popleft()
        self._is_old = max(self._is_old - 1, 0)
        self._offset = 0
        self.bytes -= file.size
        for path in (file.path, self._folder / _SENT):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _noted(self) -> int:
        """Return how far the oldest file was sent."""
        try:
            name, _, offset = (self._folder / _SENT).read_text(encoding="ascii").partition(" ")
        except (OSError, UnicodeDecodeError):
            return 0
        is_of_it = self._files and self._files[0].path.name == name and offset.isdecimal()
        return int(offset) if is_of_it else 0


def _packed(message: Message) -> tuple[bytes, bytes, bytes]:
    head = _Head(message.signal, message.content_type, message.encoding, len(message.body))
    return msgspec.json.encode(head), b"\n", message.body


def _message_at(path: Path, offset: int) -> tuple[Message, int] | None:
    """Return the message at *offset* and where the next begins; None if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            line = file.readline(4096)
            head = msgspec.json.decode(line, type=_Head)
            body = file.read(head.size)
            end = file.tell()
    except (OSError, msgspec.MsgspecError):
        return None
    if len(body) < head.size:
        return None  # Its writer was killed, or the disk was full.
    return Message(head.signal, head.content_type, head.encoding, body), end


def _left(folder: Path) -> Generator[_File]:
    """Yield what an earlier process left, oldest first."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        messages = offset = 0
        while (found := _message_at(path, offset)) is not None:
            offset = found[1]
            messages += 1
        yield _File(path, path.stat().st_size, messages)


def _append(path: Path, data: bytes) -> None:
    # What agents send may hold more than agenttrace itself keeps: it is for nobody else to read.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with open(descriptor, "ab") as file:  # noqa: PTH123 - of a descriptor
        file.write(data)
