"""Read files of measured energy, whatever wrote them; their columns tell what that was.

CodeCarbon's ``emissions.csv`` (columns of 3.3: ``codecarbon/output_methods/emissions_data.py``),
the log of Zeus' monitor (0.16: ``zeus/monitor/energy.py``), the answer of Prometheus to a range
query for what NVIDIA's DCGM exporter tells, the log of ``nvidia-smi``, samples of power, windows.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from agenttrace.energy.measured.moments import moment_ns
from agenttrace.energy.measured.samples import GAP_S, Kind, Skipped, integrate
from agenttrace.energy.measured.windows import (
    DAYS_AT_MOST,
    SECOND_NS,
    WATTS_AT_MOST,
    Mark,
    Window,
    within_itself,
)
from agenttrace.energy.pricing import BOUNDARIES, Boundary
from agenttrace.errors import FactorError
from agenttrace.store import engine
from agenttrace.store.lake import reason, string

Row = Mapping[str, str]

_J_PER_KWH: Final = 3_600_000
_GPU_ENERGY: Final = re.compile(r"gpu(\d+)_energy")
_POWER: Final = "DCGM_FI_DEV_POWER_USAGE"
_COUNTER: Final = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
_MJ_PER_J: Final = 1000
_SMI_POWER: Final = "power.draw [w]"
_KNOWN: Final = (
    "emissions.csv of CodeCarbon, a log of Zeus, nvidia-smi's (timestamp, power.draw [W]), "
    "start,end,joules or timestamp,watts"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the user says about a file; it goes before what the file says.

    Attributes:
        boundary: What the meter covers.
        host: The machine.
        provider: Only calls to it share the joules.
        model: Only calls to it share the joules.
        service_name: Only calls from it share the joules.
        zone: Of times that name none; None for that of this machine.
        gap_s: Seconds between samples beyond which nothing is known.
    """

    boundary: Boundary | None = None
    host: str | None = None
    provider: str | None = None
    model: str | None = None
    service_name: str | None = None
    zone: tzinfo | None = None
    gap_s: float = GAP_S


class Found(NamedTuple):
    """What a file holds.

    Attributes:
        meter: What wrote it.
        windows: In order of time; no two of a device overlap.
        skipped: What was left out.
        notes: What to know about these joules, a sentence each.
    """

    meter: str
    windows: tuple[Window, ...]
    skipped: Skipped
    notes: tuple[str, ...]


def read(path: Path, said: Said | None = None) -> Found:
    """Read a file of measured energy.

    Raises:
        FactorError: It is of no known kind, or a line of it cannot be meant.
        OSError: It cannot be read.
    """
    said = said or Said()
    file = _File(path, said)
    if path.suffix.lower() == ".json":
        _prometheus(file)
    else:
        columns, rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
        _reader_of(path, columns)(file, columns, rows)
    windows, repeats = within_itself(file.windows)
    file.skipped.add("windows that share their time with a finer one", repeats)
    if not windows:
        why = "; ".join(file.skipped.told())
        raise FactorError(
            f"{path} holds no energy between two moments{f' ({why})' if why else ''}. "
            "Export a longer time, or more samples of it."
        )
    return Found(file.meter, tuple(windows), file.skipped, tuple(file.notes))


class _File:
    """A file being read."""

    def __init__(self, path: Path, said: Said) -> None:
        self.path = path
        self.said = said
        self.meter = "windows"
        self.mark: Mark = "measured"
        self.windows: list[Window] = []
        self.skipped = Skipped()
        self.notes: list[str] = []

    def wrong(self, line: int | None, trouble: str) -> FactorError:
        where = "" if line is None else f", line {line}"
        return FactorError(f"{self.path}{where}: {trouble}")

    def boundary(self, usual: Boundary | None, line: int | None = None) -> Boundary:
        """Return what the joules cover: as the user says, else as the source does."""
        found = self.said.boundary or usual
        if found is None:
            raise self.wrong(
                line,
                "nothing says what the meter covers. Say it with --boundary accelerator, server or "
                "facility.",
            )
        return found

    def moment(self, text: str, line: int) -> int:
        try:
            return moment_ns(text, self.said.zone)
        except ValueError as error:
            raise self.wrong(line, str(error)) from error

    def number(self, row: Row, column: str, line: int) -> float:
        """Return a number of 0 or more."""
        text = row.get(column, "")
        try:
            found = Decimal(text.strip())
        except InvalidOperation as error:
            raise self.wrong(line, f"{column} is {text!r}, which is no number.") from error
        if not found.is_finite() or found < 0:
            raise self.wrong(line, f"{column} is {text}: energy and time are 0 or more.")
        return float(found)

    def add(self, line: int | None, window: Window) -> None:
        """Keep *window*, with what the user says of it.

        Raises:
            FactorError: Nothing can use that much.
        """
        if window.end_ns <= window.start_ns:
            raise self.wrong(
                line, "the window ends before it has begun. Are start and end mixed up?"
            )
        days = (window.end_ns - window.start_ns) / SECOND_NS / 86_400
        if days > DAYS_AT_MOST:
            raise self.wrong(
                line,
                f"the window lasts {days:,.0f} days, and {DAYS_AT_MOST} is the most it may. "
                "Is its end right?",
            )
        if window.watts > WATTS_AT_MOST:
            seconds = (window.end_ns - window.start_ns) / SECOND_NS
            raise self.wrong(
                line,
                f"{window.joules:g} J in {seconds:g} s is more than {WATTS_AT_MOST:g} W. "
                "Is it another unit, such as mJ?",
            )
        said = self.said
        host = said.host or window.host
        self.windows.append(
            replace(
                window,
                host=host.lower() if host else None,
                provider=said.provider or window.provider,
                model=said.model or window.model,
                service_name=said.service_name or window.service_name,
                mark=self.mark,
                meter=self.meter,
                source=self.path.name,
            )
        )

    def add_samples(
        self,
        samples: Iterable[tuple[int, float]],
        kind: Kind,
        boundary: Boundary,
        device: str | None,
        host: str | None,
    ) -> None:
        for span in integrate(samples, kind, self.skipped, gap_s=self.said.gap_s):
            window = Window(span.start_ns, span.end_ns, span.joules, boundary, device, host)
            self.add(None, window)


_Rows = Iterable[tuple[int, Row]]
_Reader = Callable[[_File, frozenset[str], _Rows], None]


def _reader_of(path: Path, columns: frozenset[str]) -> _Reader:
    for needed, reader in _READERS:
        if needed <= columns:
            return reader
    listed = ", ".join(sorted(columns))
    raise FactorError(f"{path} has the columns {listed}: no known kind. Known are {_KNOWN}.")


def _codecarbon(file: _File, columns: frozenset[str], rows: _Rows) -> None:
    """Read CodeCarbon's rows: a run tells its sums again and again, a task its own."""
    file.meter = "codecarbon"
    found = list(rows)
    measured_gpu = any(_positive(row.get("gpu_energy", "")) for _, row in found)
    boundary = file.boundary("accelerator" if measured_gpu else None)
    if boundary == "accelerator" and not measured_gpu:
        raise file.wrong(
            None, "no GPU was measured in it. --boundary server takes CPU and memory as they are."
        )
    if boundary != "accelerator":
        file.mark = "modelled in part"
        file.notes.append(
            "CodeCarbon computes memory, and the CPU where RAPL cannot be read, from the load: "
            "these joules are modelled in part."
        )
    file.notes.append(
        "CodeCarbon writes whole seconds of local time: windows may lie up to a second aside."
    )
    runs: defaultdict[str, list[tuple[float, int, Row]]] = defaultdict(list)
    for line, row in found:
        # A run's rows are sums since its start; a task's stand alone.
        run = f"{line}" if "task_name" in columns else row.get("run_id", "")
        runs[run].append((file.number(row, "duration", line), line, row))
    for run in runs.values():
        _codecarbon_run(file, sorted(run, key=lambda one: one[0]), boundary)


def _codecarbon_run(file: _File, run: Iterable[tuple[float, int, Row]], boundary: Boundary) -> None:
    before_s, before_j = 0.0, 0.0
    for duration_s, line, row in run:
        column = "gpu_energy" if boundary == "accelerator" else "energy_consumed"
        # It multiplies with the PUE that it is told, which is beyond the server.
        pue = file.number(row, "pue", line) if row.get("pue") else 1.0
        within = pue if pue and boundary != "facility" else 1.0
        joules = file.number(row, column, line) * _J_PER_KWH / within
        if duration_s <= before_s:
            file.skipped.add("rows that add no time")
            continue
        end_ns = file.moment(row["timestamp"], line)
        start_ns = end_ns - round((duration_s - before_s) * SECOND_NS)
        if joules < before_j:
            raise file.wrong(line, f"{column} of the run falls, and it is a sum.")
        file.add(line, Window(start_ns, end_ns, joules - before_j, boundary))
        before_s, before_j = duration_s, joules


def _positive(text: str) -> bool:
    try:
        return Decimal(text.strip()) > 0
    except InvalidOperation:
        return False


def _zeus(file: _File, columns: frozenset[str], rows: _Rows) -> None:
    """Read the log of Zeus' monitor: a window a row, a column per GPU."""
    file.meter = "zeus"
    boundary = file.boundary("accelerator")
    gpus = sorted(found[1] for column in columns if (found := _GPU_ENERGY.fullmatch(column)))
    if not gpus:
        raise file.wrong(1, "no column such as gpu0_energy: Zeus saw no GPU there.")
    for line, row in rows:
        start_ns = file.moment(row["start_time"], line)
        end_ns = start_ns + round(file.number(row, "elapsed_time", line) * SECOND_NS)
        if end_ns == start_ns:
            file.skipped.add("windows of no length")
            continue
        for gpu in gpus:
            joules = file.number(row, f"gpu{gpu}_energy", line)
            file.add(line, Window(start_ns, end_ns, joules, boundary, f"gpu{gpu}"))


def _own(file: _File, columns: frozenset[str], rows: _Rows) -> None:
    """Read windows: start, end, joules, and what else a row says."""
    del columns
    for line, row in rows:
        said = row.get("boundary") or None
        if said is not None and said not in BOUNDARIES:
            raise file.wrong(line, f"boundary is {said!r}. Choose one of {', '.join(BOUNDARIES)}.")
        window = Window(
            file.moment(row["start"], line),
            file.moment(row["end"], line),
            file.number(row, "joules", line),
            file.boundary(said, line),
            row.get("device") or None,
            row.get("host") or None,
            row.get("provider") or None,
            row.get("model") or None,
            row.get("service_name") or None,
        )
        file.add(line, window)


def _watts(file: _File, columns: frozenset[str], rows: _Rows) -> None:
    """Read samples of power in watts, of one device or of several."""
    del columns
    file.meter = "power samples"
    boundary = file.boundary(None)
    by_device: defaultdict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for line, row in rows:
        device = (row.get("host", ""), row.get("device", ""))
        sample = (file.moment(row["timestamp"], line), _sample(row["watts"]))
        by_device[device].append(sample)
    for (host, device), samples in by_device.items():
        file.add_samples(samples, "power", boundary, device or None, host or None)


def _smi(file: _File, columns: frozenset[str], rows: _Rows) -> None:
    """Read what ``nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv -l 1`` writes."""
    del columns
    file.meter = "nvidia-smi"
    boundary = file.boundary("accelerator")
    by_device: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for line, row in rows:
        sample = (
            file.moment(row["timestamp"], line),
            _sample(row[_SMI_POWER].removesuffix("W")),
        )
        by_device[row.get("uuid") or row.get("index", "")].append(sample)
    for device, samples in by_device.items():
        name = f"gpu{device}" if device.isdigit() else device
        file.add_samples(samples, "power", boundary, name or None, None)


def _sample(text: str) -> float:
    """Return a number; what is none, as ``[N/A]``, is a sample to be left out."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


_READERS: Final[tuple[tuple[frozenset[str], _Reader], ...]] = (
    (
        frozenset({"timestamp", "run_id", "duration", "gpu_energy", "energy_consumed"}),
        _codecarbon,
    ),
    (frozenset({"start_time", "window_name", "elapsed_time"}), _zeus),
    (frozenset({"start", "end", "joules"}), _own),
    (frozenset({"timestamp", "watts"}), _watts),
    (frozenset({"timestamp", _SMI_POWER}), _smi),
)


def _prometheus(file: _File) -> None:
    """Read the answer to a range query for the power or the energy of NVIDIA's GPUs."""
    file.meter = "dcgm"
    boundary = file.boundary("accelerator")
    by_device: defaultdict[tuple[str | None, str | None], dict[str, list[tuple[int, float]]]]
    by_device = defaultdict(dict)
    for labels, samples in _series(file):
        name = labels.get("__name__", "")
        if name not in (_POWER, _COUNTER):
            raise file.wrong(
                None,
                f"a series is named {name or 'nothing'}. Ask for {_POWER} or {_COUNTER} itself, "
                "without a function around it.",
            )
        gpu = labels.get("UUID") or (f"gpu{labels['gpu']}" if "gpu" in labels else None)
        of_device = by_device[labels.get("Hostname") or None, gpu]
        if name in of_device:
            # A GPU that is shared out tells its power once for each part.
            file.skipped.add("series that repeat a device")
        of_device.setdefault(name, samples)
    for (host, device), found in by_device.items():
        if _COUNTER in found:
            file.skipped.add("series of power beside a counter", len(found) - 1)
            joules = [(at, value / _MJ_PER_J) for at, value in found[_COUNTER]]
            file.add_samples(joules, "counter", boundary, device, host)
        else:
            file.add_samples(found[_POWER], "power", boundary, device, host)


def _series(file: _File) -> Iterator[tuple[dict[str, str], list[tuple[int, float]]]]:
    try:
        answer = json.loads(file.path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise file.wrong(None, f"it is no JSON: {error}") from error
    match answer:
        case {"status": "success", "data": {"resultType": "matrix", "result": list()}}:
            series: list[Any] = answer["data"]["result"]
        case {"data": {"resultType": str(kind)}}:
            raise file.wrong(
                None,
                f"it answers with a {kind}, one moment of it. Ask for a time: /api/v1/query_range.",
            )
        case _:
            raise file.wrong(
                None, "it is no answer of Prometheus to a range query (status, data, result)."
            )
    for one in series:
        try:
            labels = {str(key): str(value) for key, value in one["metric"].items()}
            samples = [(_at(at), _sample(str(value))) for at, value in one["values"]]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise file.wrong(None, f"a series of it cannot be read ({error}).") from error
        yield labels, samples


def _at(seconds: object) -> int:
    return moment_ns(str(seconds), UTC)


def _csv(path: Path) -> tuple[frozenset[str], _Rows]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FactorError(f"{path} is no text ({error}). Known are {_KNOWN}.") from error
    if not text.strip():
        raise FactorError(f"{path} is empty. Export it again.")
    reader = csv.reader(text.splitlines(), skipinitialspace=True)
    header = [name.strip().lower() for name in next(reader)]
    if not any(header):
        raise FactorError(f"{path} has no header in its first line. Known are {_KNOWN}.")
    return frozenset(header), _lines(path, header, reader)


def _lines(path: Path, header: list[str], lines: Iterable[list[str]]) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(lines, start=2):
        if not line:
            continue
        if len(line) != len(header):
            raise FactorError(
                f"{path}, line {number}: {len(line)} values for {len(header)} columns. "
                "Is the file cut off?"
            )
        yield number, dict(zip(header, (value.strip() for value in line), strict=True))


def _parquet(path: Path) -> tuple[frozenset[str], _Rows]:
    with engine.connect() as connection:
        try:
            columns = connection.execute(f"DESCRIBE FROM read_parquet({string(path)})").fetchall()
            chosen = ", ".join(_as_text(str(name), str(kind)) for name, kind, *_ in columns)
            source = f"FROM read_parquet({string(path)})"
            found = connection.execute(f"SELECT {chosen} {source}")
            names = [str(column[0]).lower() for column in columns]
            rows = found.fetchall()
        except duckdb.Error as error:
            raise FactorError(f"{path} is no Parquet that can be read: {reason(error)}") from error
    lines = [
        (number, {name: value or "" for name, value in zip(names, row, strict=True)})
        for number, row in enumerate(rows, start=1)
    ]
    return frozenset(names), lines


def _as_text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"(epoch_ns({column})::DECIMAL(28, 9) / 1000000000)::DECIMAL(28, 9)::VARCHAR"
    return f"{column}::VARCHAR"
