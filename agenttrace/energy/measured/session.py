"""Run a command while a meter looks, and keep what it sees."""

import os
import signal
import subprocess
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agenttrace.energy.measured.meters import Meter, Reading
from agenttrace.energy.measured.windows import Added, Window, add
from agenttrace.errors import AgentTraceError

if TYPE_CHECKING:
    from types import FrameType

_PASSED_ON: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# Seconds of windows that a power failure may take, at first and in the end: reports read every
# file, so a server that runs for months must not leave one a minute.
_KEPT_AFTER_S: Final = 60.0
_KEPT_AFTER_AT_MOST_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Session:
    """What a measured command did.

    Attributes:
        status: Its exit status; 128 and the signal where one ended it, as a shell says it.
        windows: Windows that were kept.
        joules: What they hold.
        trouble: Why measuring ended early; empty where it did not.
    """

    status: int
    windows: int
    joules: float
    trouble: str


def run(
    command: Sequence[str],
    meter: Meter,
    home: Path,
    *,
    host: str | None,
    model: str | None = None,
    provider: str | None = None,
    interval_s: float = 1.0,
) -> Session:
    """Run *command* and measure until it ends.

    Its streams are those of this process, and signals to this process are passed on to it. What
    the meter does never changes what the command does.

    Args:
        command: Program and arguments.
        meter: Not started yet.
        home: Folder of the data.
        host: This machine, as calls name it.
        model: Only calls to this model get a share of the joules.
        provider: Only calls to this provider get a share of the joules.
        interval_s: Length of a window, seconds.

    Raises:
        OSError: The command cannot be started. Nothing is measured then.
    """
    keeper = _Keeper(home, meter, (Path(command[0]).name, host, model, provider))
    thread = threading.Thread(target=keeper.keep, args=(interval_s,), daemon=True)
    with _begun(command) as process:
        thread.start()
        status = process.wait()
        keeper.end.set()
        thread.join()
    return Session(_status(status), keeper.windows, keeper.joules, keeper.trouble)


def pass_through(command: Sequence[str]) -> int:
    """Run *command* without a meter; return its exit status, as in :class:`Session`.

    Raises:
        OSError: It cannot be started.
    """
    with _begun(command) as process:
        return _status(process.wait())


def _status(returned: int) -> int:
    return returned if returned >= 0 else 128 - returned


class _Keeper:
    """Asks a meter again and again, and keeps what it says every now and then."""

    def __init__(
        self, home: Path, meter: Meter, said: tuple[str, str | None, str | None, str | None]
    ) -> None:
        self.end = threading.Event()
        self.windows = 0
        self.joules = 0.0
        self.trouble = ""
        self._home = home
        self._meter = meter
        self._source, self._host, self._model, self._provider = said
        self._unkept: list[Window] = []

    def keep(self, interval_s: float) -> None:
        """Measure until the end; whatever goes wrong is told afterwards."""
        try:
            self._meter.start(interval_s)
            waited_s, patience_s = 0.0, _KEPT_AFTER_S
            while not self.end.wait(interval_s):
                self._take(self._meter.read())
                waited_s += interval_s
                if waited_s >= patience_s:
                    self._write()
                    waited_s, patience_s = 0.0, min(2 * patience_s, _KEPT_AFTER_AT_MOST_S)
            self._take(self._meter.stop())
            self._write()
        except AgentTraceError as error:
            self.trouble = str(error)
        except Exception as error:  # noqa: BLE001 - a meter may raise anything; the command goes on
            self.trouble = f"{type(error).__name__}: {error}."

    def _take(self, readings: Sequence[Reading]) -> None:
        self._unkept += [
            Window(
                *reading[:4],
                device=reading.device,
                host=self._host.lower() if self._host else None,
                provider=self._provider,
                model=self._model,
                meter=self._meter.name,
                source=self._source,
            )
            for reading in readings
            if reading.end_ns > reading.start_ns and reading.joules >= 0
        ]

    def _write(self) -> None:
        if not self._unkept:
            return
        added: Added = add(self._home, self._unkept)
        self._unkept = []
        self.windows += added.windows
        self.joules += added.joules


@contextmanager
def _begun(command: Sequence[str]) -> "Generator[subprocess.Popen[bytes]]":
    """Start *command*, and pass signals on to it, but for those that it got from the terminal."""
    begun: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def pass_on(number: int, frame: "FrameType | None") -> None:
        del frame
        if not begun:
            early.append(number)
        elif not _is_of_terminal(number) and begun[0].poll() is None:
            begun[0].send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        begun.append(subprocess.Popen(command))  # noqa: S603 - the user's own command
        for number in early:
            begun[0].send_signal(number)
        yield begun[0]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_of_terminal(number: int) -> bool:
    """Whether the terminal sent a signal, to all processes in front: so to the command as well."""
    if number not in (signal.SIGINT, signal.SIGQUIT):
        return False
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
