"""The meters with stand-ins for what they ask; no real device was there when they were written."""

import builtins
import sys
import time
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from agenttrace.energy.measured import meters
from agenttrace.energy.measured.meters import CodeCarbon, NoMeterError, Zeus


@dataclass
class Measurement:
    gpu_energy: dict[int, float]
    cpu_energy: dict[int, float] | None = None
    dram_energy: dict[int, float] | None = None


class Monitor:
    gpu_indices = (0, 1)
    ends = Measurement({0: 5.0, 1: 7.0})

    def __init__(self) -> None:
        self.open = False

    def begin_window(self, key: str, *, sync_execution: bool) -> None:
        assert not self.open
        assert not sync_execution
        self.open = True

    def end_window(self, key: str, *, sync_execution: bool) -> Measurement:
        assert self.open
        self.open = False
        return self.ends


def install(monkeypatch: pytest.MonkeyPatch, name: str, **content: Any) -> None:
    """Let a module of that name, and those above it, be there."""
    whole = name.split(".")
    for depth in range(1, len(whole) + 1):
        module = ModuleType(".".join(whole[:depth]))
        module.__spec__ = SimpleNamespace(name=module.__name__)  # type: ignore[assignment]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    for key, value in content.items():
        setattr(sys.modules[name], key, value)


def uninstall(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    find = meters.importlib.util.find_spec
    monkeypatch.setattr(
        meters.importlib.util, "find_spec", lambda name: None if name in names else find(name)
    )


def test_zeus_tells_each_gpu_between_two_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "zeus.monitor", ZeusMonitor=Monitor)
    meter, reasons = meters.find()
    assert isinstance(meter, Zeus)
    assert reasons == ()
    before = time.time_ns()
    meter.start(1.0)
    found = [*meter.read(), *meter.stop()]
    assert [(one.joules, one.boundary, one.device) for one in found] == [
        (5.0, "accelerator", "gpu0"),
        (7.0, "accelerator", "gpu1"),
    ] * 2
    assert before <= found[0].start_ns <= found[0].end_ns <= found[2].start_ns <= time.time_ns()


def test_zeus_with_cpu_and_memory_covers_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    class Server(Monitor):
        ends = Measurement({0: 5.0}, {0: 2.0}, {0: 1.0})

    install(monkeypatch, "zeus.monitor", ZeusMonitor=Server)
    meter = Zeus()
    meter.start(1.0)
    (found,) = meter.stop()
    assert (found.joules, found.boundary, found.device) == (8.0, "server", None)


def test_zeus_without_a_gpu_is_no_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind(Monitor):
        gpu_indices = ()

    class Broken:
        def __init__(self) -> None:
            raise OSError("no driver")

    install(monkeypatch, "zeus.monitor", ZeusMonitor=Blind)
    with pytest.raises(NoMeterError, match="finds no GPU"):
        Zeus()
    install(monkeypatch, "zeus.monitor", ZeusMonitor=Broken)
    with pytest.raises(NoMeterError, match="no driver"):
        Zeus()


class Tracker:
    gpus = 1
    made: dict[str, Any]

    def __init__(self, **said: Any) -> None:
        builtins.print("a library that writes to stdout")
        Tracker.made = said

    def get_detected_hardware(self) -> dict[str, int]:
        return {"gpu_count": self.gpus}

    def start(self) -> None:
        self.tell(0.5)

    def stop(self) -> None:
        self.tell(0.25)

    def tell(self, seconds: float) -> None:
        time.sleep(0.002)
        delta = SimpleNamespace(duration=seconds, gpu_energy=1e-6, cpu_energy=2e-6, ram_energy=9.0)
        for handler in self.made["output_handlers"]:
            handler.live_out(None, delta)


def codecarbon(monkeypatch: pytest.MonkeyPatch, *, gpus: int, rapl: bool) -> None:
    uninstall(monkeypatch, "zeus")
    made = type("Made", (Tracker,), {"gpus": gpus})
    install(monkeypatch, "codecarbon.core.cpu", is_rapl_available=lambda: rapl)
    sys.modules["codecarbon"].OfflineEmissionsTracker = made  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("gpus", "rapl", "joules", "boundary"),
    [(1, False, 3.6, "accelerator"), (1, True, 10.8, "server"), (0, True, 10.8, "server")],
)
def test_codecarbon_tells_what_it_measures_and_leaves_out_what_it_computes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    gpus: int,
    rapl: bool,
    joules: float,
    boundary: str,
) -> None:
    """1e-6 kWh are 3.6 J; memory is computed from its size, so it is not among them."""
    codecarbon(monkeypatch, gpus=gpus, rapl=rapl)
    meter, reasons = meters.find()
    assert isinstance(meter, CodeCarbon)
    assert reasons == ("Zeus is not installed",)
    meter.start(2.0)
    found = [*meter.read(), *meter.stop()]
    assert [(one.joules, one.boundary, one.device) for one in found] == [
        (pytest.approx(joules), boundary, None)
    ] * 2
    assert found[0].end_ns <= found[1].start_ns
    assert meter.read() == []
    assert Tracker.made["measure_power_secs"] == 2.0
    assert capsys.readouterr() == ("", "")


def test_codecarbon_is_told_to_ask_nobody_and_to_write_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codecarbon(monkeypatch, gpus=1, rapl=False)
    CodeCarbon()
    said = Tracker.made
    assert said["output_methods"] == []
    assert said["electricitymaps_api_token"] == said["emissions_endpoint"] == ""
    assert said["country_iso_code"]
    assert said["force_carbon_intensity_g_co2e_kwh"] == said["pue"] == 1.0


def test_codecarbon_that_only_computes_is_no_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    codecarbon(monkeypatch, gpus=0, rapl=False)
    assert meters.find() == (
        None,
        ("Zeus is not installed", "CodeCarbon finds neither a GPU nor RAPL that it may read"),
    )


def test_without_either_there_is_no_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    uninstall(monkeypatch, "zeus", "codecarbon")
    assert meters.find() == (None, ("Zeus is not installed", "CodeCarbon is not installed"))
