"""Build the report on parity: what meters saw, beside what is estimated of the same calls."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from agenttrace import energy
from agenttrace.energy import Boundary, ModelFactor
from agenttrace.energy.estimate import JOULES_PER_WH, Moments
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.sums import Row

_LONG_S: Final = 60.0  # of a window, beyond which waiting may be most of it
_MOSTLY: Final = 0.5

_MODELS: Final = """
SELECT
    provider,
    model,
    boundary,
    sum(calls)::BIGINT AS calls,
    sum(partly_calls)::BIGINT AS partly_calls,
    sum(modelled_calls)::BIGINT AS modelled_calls,
    sum(unpriced_calls)::BIGINT AS unpriced_calls,
    sum(covered_calls) / sum(calls) AS covered,
    sum(measured_j) AS measured_j,
    sum(unpriced_j) AS unpriced_j,
    sum(uncached) AS uncached,
    sum(uncached_context_x2) / 2 AS uncached_context,
    sum(cached) AS cached,
    sum(output) AS output,
    sum(output_context_x2) / 2 AS output_context
FROM measured_sum
GROUP BY provider, model, boundary
ORDER BY boundary, measured_j DESC, provider, model
"""

_FILES: Final = "FROM measured_use ORDER BY first_at, file, boundary, meter"


@dataclass(frozen=True, slots=True)
class Parity:
    """A measurement beside the estimate of the same calls, at the same boundary.

    Attributes:
        boundary: What both cover.
        calls: Calls that were measured, wholly or in part.
        partly_calls: Those of them that windows cover only in part.
        modelled_calls: Those of them whose meter computes a part from the load.
        unpriced_calls: Those of them whose usage lacks a side; they are in no comparison.
        covered: Mean part of a call that windows cover, 0 to 1.
        measured_wh: What the meters saw of these calls.
        compared_wh: Part of it of calls with an estimate.
        estimate_wh: The estimate of the covered parts; None where no usage is reported.
        ratio: compared_wh over estimate_wh: low over its high end; None where that is zero.
        is_inside: compared_wh lies in the range of the estimate; None where there is no range.
    """

    boundary: Boundary
    calls: int
    partly_calls: int
    modelled_calls: int
    unpriced_calls: int
    covered: float
    measured_wh: float
    compared_wh: float
    estimate_wh: Range | None
    ratio: Range | None
    is_inside: bool | None


@dataclass(frozen=True, slots=True)
class ModelParity:
    """The calls of one model at one boundary.

    Attributes:
        provider: As recorded.
        model: As recorded.
        model_class: Size class whose factors the estimate uses.
        known: False where nothing matched the name, and the range spans every class.
        parity: Measurement and estimate.
    """

    provider: str | None
    model: str | None
    model_class: str
    known: bool
    parity: Parity


@dataclass(frozen=True, slots=True)
class MeasuredFile:
    """The windows of one file.

    Attributes:
        file: Its name in ``measured/``, without the ending.
        source: What it was imported from, or the command that was measured.
        meter: What measured.
        boundary: What the joules cover.
        mark: ``measured``, or ``modelled in part``.
        hosts: Machines; None where none is said.
        devices: Devices that are told apart.
        windows: How many there are.
        idle_windows: Those in which no call ran.
        first_at: Start of the first.
        last_at: End of the last.
        seconds: Length of all together.
        busy_share: Part of that in which a call ran, 0 to 1.
        measured_wh: What they hold.
        idle_wh: Part of it that no call took: windows without a call.
    """

    file: str
    source: str
    meter: str
    boundary: Boundary
    mark: str
    hosts: str | None
    devices: int
    windows: int
    idle_windows: int
    first_at: str
    last_at: str
    seconds: float
    busy_share: float
    measured_wh: float
    idle_wh: float


@dataclass(frozen=True, slots=True)
class ParityReport:
    """What was measured, beside what is estimated.

    Attributes:
        store: The folder.
        factor_set: Version of the factors of the estimate.
        calls: Calls of the whole store.
        measured_calls: Those of them that were measured, wholly or in part.
        totals: One per boundary at which calls were measured.
        models: One per model and boundary, most joules first.
        files: One per file of windows, earliest first; empty where nothing was measured.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar[str] = "parity"

    store: str
    factor_set: str
    calls: int
    measured_calls: int
    totals: tuple[Parity, ...]
    models: tuple[ModelParity, ...]
    files: tuple[MeasuredFile, ...]
    warnings: tuple[str, ...]


def parity_report(reader: Reader) -> ParityReport:
    """Report on measured energy beside the estimate of the same calls.

    Args:
        reader: An open reader.
    """
    (store,) = reader.query("SELECT coalesce(sum(calls), 0)::BIGINT AS calls FROM call_total")
    rows = reader.query(_MODELS) if reader.is_measured else []
    used = reader.query(_FILES) if reader.is_measured else []
    factors = {boundary: _factors(reader, rows, boundary) for boundary in _boundaries(rows)}
    return ParityReport(
        store=str(reader.home),
        factor_set=reader.factors.version,
        calls=store["calls"],
        measured_calls=sum(row["calls"] for row in rows),
        totals=tuple(
            _parity([row for row in rows if row["boundary"] == boundary], by_name)
            for boundary, by_name in factors.items()
        ),
        models=tuple(_model(row, factors[row["boundary"]]) for row in rows),
        files=tuple(map(_file, used)),
        warnings=(*reader.store_warnings, *_cautions(rows, used)),
    )


_Factors = Mapping[tuple[str | None, str | None], ModelFactor]


def _boundaries(rows: Iterable[Row]) -> list[Boundary]:
    return list(dict.fromkeys(row["boundary"] for row in rows))


def _factors(reader: Reader, rows: Iterable[Row], boundary: Boundary) -> _Factors:
    """Return the factors of the measured models at the boundary of the measurement."""
    models = dict.fromkeys((row["provider"], row["model"]) for row in rows)
    priced = energy.factor_set(models, factors=reader.factors.origin, boundary=boundary)
    return {(one.provider, one.model): one for one in priced.models}


def _model(row: Row, factors: _Factors) -> ModelParity:
    match = factors[row["provider"], row["model"]].match
    return ModelParity(
        provider=row["provider"],
        model=row["model"],
        model_class=match.class_name,
        known=match.known,
        parity=_parity([row], factors),
    )


def _parity(rows: list[Row], factors: _Factors) -> Parity:
    measured_j = sum(row["measured_j"] for row in rows)
    compared_wh = (measured_j - sum(row["unpriced_j"] for row in rows)) / JOULES_PER_WH
    calls = sum(row["calls"] for row in rows)
    is_priced = any(row["calls"] > row["unpriced_calls"] for row in rows)
    estimate = (
        energy.total((_moments(row), factors[row["provider"], row["model"]]) for row in rows)
        if is_priced
        else None
    )
    return Parity(
        boundary=rows[0]["boundary"],
        calls=calls,
        partly_calls=sum(row["partly_calls"] for row in rows),
        modelled_calls=sum(row["modelled_calls"] for row in rows),
        unpriced_calls=sum(row["unpriced_calls"] for row in rows),
        covered=sum(row["covered"] * row["calls"] for row in rows) / calls,
        measured_wh=measured_j / JOULES_PER_WH,
        compared_wh=compared_wh,
        estimate_wh=estimate,
        ratio=_ratio(compared_wh, estimate),
        is_inside=None if estimate is None else estimate.low <= compared_wh <= estimate.high,
    )


def _moments(row: Row) -> Moments:
    return Moments(*(row[name] for name in Moments._fields))


def _ratio(measured_wh: float, estimate: Range | None) -> Range | None:
    if estimate is None or not estimate.low:
        return None
    return Range(
        measured_wh / estimate.high, measured_wh / estimate.central, measured_wh / estimate.low
    )


def _file(row: Row) -> MeasuredFile:
    return MeasuredFile(
        file=row["file"],
        source=row["source"],
        meter=row["meter"],
        boundary=row["boundary"],
        mark=row["mark"],
        hosts=row["machines"],
        devices=row["devices"],
        windows=row["windows"],
        idle_windows=row["idle_windows"],
        first_at=sums.moment(row["first_at"]) or "",
        last_at=sums.moment(row["last_at"]) or "",
        seconds=row["seconds"],
        busy_share=row["busy_seconds"] / row["seconds"],
        measured_wh=row["joules"] / JOULES_PER_WH,
        idle_wh=row["idle_joules"] / JOULES_PER_WH,
    )


def _cautions(rows: list[Row], used: Iterable[Row]) -> Iterable[str]:
    for row in used:
        taken = row["windows"] - row["idle_windows"]
        seconds = row["seconds"] - row["idle_seconds"]
        if taken and seconds / taken > _LONG_S and row["busy_seconds"] < _MOSTLY * seconds:
            yield (
                f"{row['source']}: windows with calls last {seconds / taken:,.0f} s on average, "
                f"and calls ran in {row['busy_seconds'] / seconds:.0%} of that. What the machine "
                "used meanwhile is given to the calls: shorter windows would tell it apart."
            )
    modelled = sum(row["modelled_calls"] for row in rows)
    if modelled:
        yield (
            f"The meter of {modelled:,} calls computes a part of its joules from the load, so they "
            "are measured in part only."
        )
