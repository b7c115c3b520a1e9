"""Run a command while a meter looks, and keep what it sees."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agenttrace.command import begun, pass_through
from agenttrace.command import status as status_of_exit
from agenttrace.energy.measured.meters import Meter, Reading
from agenttrace.energy.measured.windows import Added, Window, add
from agenttrace.errors import AgentTraceError

__all__ = ["Session", "pass_through", "run"]

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
    with begun(command) as process:
        thread.start()
        status = process.wait()
        keeper.end.set()
        thread.join()
    return Session(status_of_exit(status), keeper.windows, keeper.joules, keeper.trouble)


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
