"""Meters of this machine: what they see between two looks.

Zeus reads the energy counters of GPUs, and RAPL where it may; CodeCarbon reads the GPUs and RAPL.
Both are optional (the extra ``measure``), and neither is let near a network.
"""

import contextlib
import importlib
import importlib.util
import io
import logging
import time
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Protocol

from agenttrace.energy.measured.windows import SECOND_NS
from agenttrace.energy.pricing import Boundary

_J_PER_KWH: Final = 3_600_000
_WINDOW: Final = "agenttrace"


class Reading(NamedTuple):
    """What a meter saw between two moments.

    Attributes:
        start_ns: Nanoseconds since 1970-01-01 UTC.
        end_ns: The same.
        joules: What was used between the two.
        boundary: What that covers.
        device: Which of several devices; None for all that the meter covers.
    """

    start_ns: int
    end_ns: int
    joules: float
    boundary: Boundary
    device: str | None = None


class Meter(Protocol):
    """Something that sees what this machine uses.

    Attributes:
        name: As it is kept with each window.
    """

    name: str

    def start(self, interval_s: float) -> None:
        """Begin to measure, a reading every *interval_s* seconds or so."""
        ...

    def read(self) -> Sequence[Reading]:
        """Return what is new since it was last asked, up to now."""
        ...

    def stop(self) -> Sequence[Reading]:
        """Measure no more; return what is new."""
        ...


class NoMeterError(Exception):
    """A meter cannot see anything here; the message says why, in half a sentence."""


def find() -> tuple[Meter | None, tuple[str, ...]]:
    """Return the first meter that works here.

    Returns:
        The meter, None if there is none; and why those before it do not work, half a sentence each.
    """
    reasons: list[str] = []
    for make in (Zeus, CodeCarbon):
        try:
            return make(), tuple(reasons)
        except NoMeterError as error:
            reasons.append(str(error))
    return None, tuple(reasons)


class Zeus:
    """Counters of the GPUs through Zeus' monitor; with CPU and memory where it may read RAPL."""

    name = "zeus"

    def __init__(self) -> None:
        """Look for GPUs.

        Raises:
            NoMeterError: Zeus is not installed, or finds none.
        """
        if importlib.util.find_spec("zeus") is None:
            raise NoMeterError("Zeus is not installed")
        with _silence("zeus"):
            try:
                self._monitor: Any = importlib.import_module("zeus.monitor").ZeusMonitor()
            except Exception as error:  # whatever a driver may raise
                raise NoMeterError(f"Zeus does not work here ({error})") from error
        if not self._monitor.gpu_indices:
            raise NoMeterError("Zeus finds no GPU")
        self._start_ns = 0

    def start(self, interval_s: float) -> None:
        """Begin the first window."""
        del interval_s  # a window lasts from one look to the next
        self._begin()

    def read(self) -> Sequence[Reading]:
        """End the window, and begin the next."""
        found = self._end()
        self._begin()
        return found

    def stop(self) -> Sequence[Reading]:
        """End the last window."""
        return self._end()

    def _begin(self) -> None:
        self._start_ns = time.time_ns()
        # What waits for the GPU here is another process, so there is nothing to synchronise with.
        self._monitor.begin_window(_WINDOW, sync_execution=False)

    def _end(self) -> Sequence[Reading]:
        with warnings.catch_warnings():
            # A window without energy is a short one: the next holds what it lacks.
            warnings.simplefilter("ignore")
            found = self._monitor.end_window(_WINDOW, sync_execution=False)
        end_ns = time.time_ns()
        if found.cpu_energy:
            parts = (found.gpu_energy, found.cpu_energy, found.dram_energy)
            joules = sum(sum(part.values()) for part in parts if part)
            return [Reading(self._start_ns, end_ns, joules, "server")]
        return [
            Reading(self._start_ns, end_ns, joules, "accelerator", f"gpu{index}")
            for index, joules in found.gpu_energy.items()
        ]


class CodeCarbon:
    """GPUs, and CPU and memory where RAPL can be read, through CodeCarbon's offline tracker.

    What CodeCarbon computes from the load, memory always and the CPU without RAPL, is left out.
    """

    name = "codecarbon"

    def __init__(self) -> None:
        """Look for GPUs and RAPL.

        Raises:
            NoMeterError: CodeCarbon is not installed, or there is nothing that it can measure.
        """
        if importlib.util.find_spec("codecarbon") is None:
            raise NoMeterError("CodeCarbon is not installed")
        self._readings: list[Reading] = []
        self._last_ns = 0
        with _silence("codecarbon"):
            try:
                cpu: Any = importlib.import_module("codecarbon.core.cpu")
                self._has_rapl = bool(cpu.is_rapl_available())
                self._tracker: Any = self._make(1.0)
                has_gpu = bool(self._tracker.get_detected_hardware()["gpu_count"])
            except Exception as error:  # whatever a driver may raise
                raise NoMeterError(f"CodeCarbon does not work here ({error})") from error
        if not has_gpu and not self._has_rapl:
            raise NoMeterError("CodeCarbon finds neither a GPU nor RAPL that it may read")

    def start(self, interval_s: float) -> None:
        """Let the tracker measure in a thread of its own."""
        with _silence("codecarbon"):
            if interval_s != 1.0:
                self._tracker = self._make(interval_s)
            self._last_ns = time.time_ns()
            self._tracker.start()

    def read(self) -> Sequence[Reading]:
        """Return what the tracker has told since."""
        found, self._readings = self._readings, []
        return found

    def stop(self) -> Sequence[Reading]:
        """Stop the tracker, which measures once more."""
        with _silence("codecarbon"):
            self._tracker.stop()
        return self.read()

    def live_out(self, total: Any, delta: Any) -> None:
        """Take note of a measurement; the tracker calls it, in a thread of its own.

        Args:
            total: Since the start.
            delta: Since the last time: ``duration`` in seconds, energies in kWh.
        """
        del total
        end_ns = time.time_ns()
        start_ns = max(self._last_ns, end_ns - round(delta.duration * SECOND_NS))
        self._last_ns = end_ns
        kwh = delta.gpu_energy + (delta.cpu_energy if self._has_rapl else 0.0)
        boundary: Boundary = "server" if self._has_rapl else "accelerator"
        if end_ns > start_ns:
            self._readings.append(Reading(start_ns, end_ns, kwh * _J_PER_KWH, boundary))

    def out(self, total: Any, delta: Any) -> None:
        """Be told the end; what was measured last has come before."""

    def task_out(self, data: Any, experiment_name: str) -> None:
        """Be told of tasks, of which there are none."""

    def exit(self) -> None:
        """Be told that the tracker has stopped."""

    def _make(self, interval_s: float) -> Any:
        tracker: Any = importlib.import_module("codecarbon").OfflineEmissionsTracker
        # Everything is said, for a .codecarbon.config in some folder would say it otherwise: a
        # token or an endpoint there would be asked over the network.
        return tracker(
            country_iso_code="USA",  # asked for; with an intensity given it decides nothing
            region=None,
            cloud_provider=None,
            cloud_region=None,
            country_2letter_iso_code=None,
            force_carbon_intensity_g_co2e_kwh=1.0,
            electricitymaps_api_token="",
            emissions_endpoint="",
            api_key="",
            output_methods=[],
            output_handlers=[self],
            api_call_interval=1,
            measure_power_secs=interval_s,
            tracking_mode="machine",
            allow_multiple_runs=True,
            rapl_include_dram=True,
            rapl_prefer_psys=False,
            force_cpu_power=None,
            force_ram_power=None,
            force_mode_cpu_load=False,
            gpu_ids=None,
            pue=1.0,
            wue=0.0,
            log_level="critical",
        )


@contextmanager
def _silence(logger: str) -> Generator[None]:
    """Keep a library from the streams, which are those of the command that is measured."""
    of_library = logging.getLogger(logger)
    was_disabled = of_library.disabled
    of_library.disabled = True
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        of_library.disabled = was_disabled
