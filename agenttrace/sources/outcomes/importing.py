"""Tell of recorded tasks what became of them, as files say it."""

import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, NamedTuple

from opentelemetry.context import Context

from agenttrace import semconv
from agenttrace.errors import ConfigError, StoreError
from agenttrace.reader import Reader
from agenttrace.record import local
from agenttrace.record.recorder import Recorder
from agenttrace.record.spool import Spool
from agenttrace.record.telling import OUTCOMES, keep_fact
from agenttrace.sources.outcomes import files
from agenttrace.sources.outcomes.files import Row

Unknown = Literal["refuse", "skip"]

_SERVICE: Final = "agenttrace outcomes import"
_NAMED: Final = 3

_KNOWN: Final = """
SELECT
    task_sum.task_id,
    max(task_sum.task_outcome).at AS at_ns,
    max(task_sum.task_outcome).says AS outcome,
    max(task_sum.task_outcome).reference AS reference
FROM task_sum
GROUP BY task_sum.task_id
HAVING sum(task_sum.structure_spans) > 0
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import; each row of the files is in one of these.

    Attributes:
        written: Outcomes that are new, by outcome.
        known: Rows that say what is known already.
        older: Rows that are older than what is known, which stays.
        replaced: Rows of a task of which a later row says something.
        unknown: Rows of tasks that were not recorded here.
    """

    written: Mapping[str, int]
    known: int
    older: int
    replaced: int
    unknown: int


class _Known(NamedTuple):
    at_ns: int | None
    outcome: str | None
    reference: str | None


def import_outcomes(home: Path, paths: Sequence[Path], *, unknown: Unknown = "refuse") -> Imported:
    """Tell of the tasks in *home* what *paths* say; all of it is checked before any is written.

    Args:
        home: Folder of the data.
        paths: Files as ``files`` reads them; a later one counts after an earlier.
        unknown: What to do with tasks that were not recorded here.

    Raises:
        ConfigError: A row is wrong, or of a task that was not recorded here.
        StoreError: What is recorded cannot be read, or the spool cannot be written.
        OSError: A file cannot be read.
    """
    now_ns = time.time_ns()
    said = [row for path in paths for row in files.rows(path, now_ns)]
    with Reader(home) as reader:
        known = {
            str(row["task_id"]): _Known(row["at_ns"], row["outcome"], row["reference"])
            for row in reader.query(_KNOWN)
        }
    found, missing = _resolved(said, known)
    if missing and unknown == "refuse":
        raise ConfigError(_refusal(missing))
    latest = _latest(found, now_ns)
    new = [row for row in latest if _says(row) != known[row.task_id][1:]]
    late = [row for row in new if not _is_older(row, known[row.task_id])]
    _write(home, late, now_ns)
    return Imported(
        written={one: sum(row.outcome == one for row in late) for one in OUTCOMES},
        known=len(latest) - len(new),
        older=len(new) - len(late),
        replaced=len(found) - len(latest),
        unknown=len(missing),
    )


def _resolved(said: Iterable[Row], known: Mapping[str, _Known]) -> tuple[list[Row], list[Row]]:
    """Return the rows with whole ids, and those of tasks that are not known."""
    ids = sorted(known)
    found: list[Row] = []
    missing: list[Row] = []
    for row in said:
        first = bisect_left(ids, row.task_id)
        fitting = [one for one in ids[first : first + 2] if one.startswith(row.task_id)]
        if not fitting:
            missing.append(row)
        elif fitting[0] == row.task_id or len(fitting) == 1:
            found.append(replace(row, task_id=fitting[0]))
        else:
            raise ConfigError(
                f"{row.where}, column task_id: more than one task begins with {row.task_id!r}: "
                f"{fitting[0]}, {fitting[1]}. Give more of the id. Nothing was imported."
            )
    return found, missing


def _refusal(missing: Sequence[Row]) -> str:
    ids = list(dict.fromkeys(row.task_id for row in missing))
    named = ", ".join(ids[:_NAMED])
    if ids[_NAMED:]:
        named += f" and {len(ids) - _NAMED:,} more"
    tasks = "1 task was" if len(ids) == 1 else f"{len(ids):,} tasks were"
    return (
        f"{missing[0].where}, column task_id: {tasks} not recorded here: {named}. "
        "`agenttrace query task` lists those that were; --unknown skip leaves the others out. "
        "Nothing was imported."
    )


def _latest(found: Sequence[Row], now_ns: int) -> list[Row]:
    """Return of each task the row that counts: the latest, of one time the one further down."""
    latest: dict[str, Row] = {}
    for row in found:
        before = latest.get(row.task_id)
        if before is None or _time(row, now_ns) >= _time(before, now_ns):
            latest[row.task_id] = row
    return list(latest.values())


def _time(row: Row, now_ns: int) -> int:
    return now_ns if row.at_ns is None else row.at_ns


def _says(row: Row) -> tuple[str, str | None]:
    return row.outcome, row.reference


def _is_older(row: Row, known: _Known) -> bool:
    return row.at_ns is not None and known.at_ns is not None and row.at_ns < known.at_ns


def _write(home: Path, late: Sequence[Row], now_ns: int) -> None:
    """Put the outcomes into the spool, as a recording process does."""
    if not late:
        return
    spool = Spool(home / "spool", _SERVICE)
    recorder = Recorder(local.start_span, spool, is_alone=True)
    for row in late:
        told = {semconv.TASK_ID: row.task_id, semconv.TASK_OUTCOME: row.outcome}
        if row.reference is not None:
            told[semconv.OUTCOME_REFERENCE] = row.reference
        keep_fact(recorder, told, Context(), at_ns=_time(row, now_ns))
    spool.close()
    if spool.lost:
        raise StoreError(
            f"{spool.lost:,} of {len(late):,} outcomes could not be written to {spool.folder}. "
            "Make room there and import the files again: what is there already is not told twice."
        )
