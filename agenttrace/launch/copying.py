"""Copy what a command writes to where it was to go, and show its lines to somebody on the way."""

import os
import select
import threading
import time
from collections.abc import Callable
from typing import IO, Final

_PIECE: Final = 64 * 1024
_LOOK_SECONDS: Final = 0.2
_AFTER_THE_END_SECONDS: Final = 2.0


class Copying:
    """Copies bytes as they come, in a thread.

    Whatever *take* does changes nothing of the copy. Where nobody reads any more, the command is
    told as it would be without us: its next write fails.
    """

    def __init__(
        self, source: IO[bytes], target: int, take: Callable[[bytes], None], line_at_most: int
    ) -> None:
        """Start.

        Args:
            source: The pipe that the command writes to.
            target: File descriptor to write to.
            take: Gets every whole line, and the last one.
            line_at_most: Bytes beyond which a line is not shown.
        """
        self._source = source
        self._target = target
        self._take = take
        self._most = line_at_most
        self._line = bytearray()
        self._is_too_long = False
        self._ended_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="agenttrace-copy", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Copy what is left, for the command has ended.

        A process that it leaves behind may hold the pipe for ever, so when nothing more comes for
        two seconds the copy ends.
        """
        self._ended_at = time.monotonic()
        self._thread.join()

    def _run(self) -> None:
        descriptor = self._source.fileno()
        try:
            while (piece := self._next(descriptor)) is not None:
                _write(self._target, piece)
                self._show(piece)
        except OSError:
            pass
        finally:
            self._source.close()
            self._show_line()

    def _next(self, descriptor: int) -> bytes | None:
        while not select.select([descriptor], [], [], _LOOK_SECONDS)[0]:
            ended = self._ended_at
            if ended is not None and time.monotonic() - ended > _AFTER_THE_END_SECONDS:
                return None
        return os.read(descriptor, _PIECE) or None

    def _show(self, piece: bytes) -> None:
        *whole, rest = piece.split(b"\n")
        for part in whole:
            self._keep(part)
            self._show_line()
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        if len(self._line) + len(part) > self._most:
            self._is_too_long = True
            self._line.clear()
        if not self._is_too_long:
            self._line += part

    def _show_line(self) -> None:
        line, is_whole = bytes(self._line), not self._is_too_long
        self._line.clear()
        self._is_too_long = False
        if line and is_whole:
            self._take(line)


def _write(target: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]
