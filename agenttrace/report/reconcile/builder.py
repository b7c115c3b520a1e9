"""Build the report on what sources say of the same sessions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agenttrace.errors import QueryError
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.reconcile.values import (
    Kinds,
    Own,
    ReconcileReport,
    Role,
    Said,
    SessionLine,
    Teller,
)
from agenttrace.report.selection import Selection, selected
from agenttrace.report.sums import Row, held

LIMIT: Final = 10
_TELLERS: Final[tuple[Teller, ...]] = ("result", "otlp", "log")  # the first that says a total
_TOLD: Final = ("session_telling", "session_total", "session_role")
_CHOSEN: Final = """
SELECT DISTINCT session_id FROM task_fact WHERE session_id IS NOT NULL
"""
_BEGINNING_WITH: Final = """
SELECT session_id FROM session_telling WHERE starts_with(session_id, $1)
UNION
SELECT session_id FROM session_total WHERE starts_with(session_id, $1)
ORDER BY session_id
"""


def reconcile_report(
    reader: Reader,
    selection: Selection | None = None,
    *,
    session: str | None = None,
    limit: int | None = LIMIT,
) -> ReconcileReport:
    """Report what logs, telemetry and agents themselves say of sessions, beside what counts.

    Args:
        reader: An open reader.
        selection: Whose sessions: those of its tasks, whole; everything if not given.
        session: The one to look at: its id, or a beginning that no other has.
        limit: How many to list; None for all.

    Raises:
        QueryError: No session begins with *session*, or several do.
    """
    chosen = selection or Selection()
    if session is not None:
        session = _session_named(reader, session)
    rows = _rows(reader, _sessions(reader, chosen, session))
    lines = [_line(name, told) for name, told in rows.items()]
    several = [line for line in lines if session is not None or _sides(line) > 1]
    several.sort(key=_place)
    return ReconcileReport(
        store=str(reader.home),
        selection=str(chosen) if session is None else f"session {session}",
        sessions=len(several),
        differing=sum(line.differs for line in several),
        told_once=len(lines) - len(several),
        lines=tuple(several[:limit]),
        warnings=tuple(_warnings(reader)),
    )


def _session_named(reader: Reader, beginning: str) -> str:
    listed = "`agenttrace report --task session` lists the largest."
    if not beginning:
        raise QueryError(f"say the id of a session, or its beginning. {listed}")
    found = [str(row["session_id"]) for row in reader.query(_BEGINNING_WITH, [beginning])]
    return sums.only_one(found, beginning, "session", listed)


def _sessions(reader: Reader, chosen: Selection, session: str | None) -> set[str] | None:
    """Return the sessions that are asked for; None for all."""
    if session is not None:
        return {session}
    if chosen.is_everything:
        return None
    with selected(reader, chosen):
        return {row["session_id"] for row in reader.query(_CHOSEN)}


class _Told:
    """What the three queries say of one session."""

    def __init__(self) -> None:
        self.telling: dict[str, Row] = {}
        self.totals: dict[str, Row] = {}
        self.roles: list[Row] = []


def _rows(reader: Reader, wanted: set[str] | None) -> Mapping[str, _Told]:
    found: defaultdict[str, _Told] = defaultdict(_Told)
    with held(reader, "task_fact", "call_rollup", *_TOLD):
        for row in _of(reader, "session_telling", wanted):
            if row["capture"] != "frame":
                found[row["session_id"]].telling[row["capture"]] = row
        for row in _of(reader, "session_total", wanted):
            found[row["session_id"]].totals[row["capture"]] = row
        for row in _of(reader, "session_role", wanted):
            if row["session_id"] in found:
                found[row["session_id"]].roles.append(row)
    return found


def _of(reader: Reader, name: str, wanted: set[str] | None) -> Iterator[Row]:
    for row in reader.query(name):
        if wanted is None or row["session_id"] in wanted:
            yield row


def _line(session: str, told: _Told) -> SessionLine:
    roles = sorted(map(_role, told.roles), key=lambda one: (-(one.tokens.sides or 0), one.role))
    counted = _counted(roles)
    own = next((_own(one, told.totals[one]) for one in _TELLERS if one in told.totals), None)
    log, telemetry, meter = (_said(told.telling.get(name)) for name in ("log", "otlp", "wire"))
    unexplained = None if own is None else own.tokens.beyond(counted.tokens)
    says = [one for one in (log, telemetry, meter) if one is not None]
    rows = [*told.telling.values(), *told.totals.values()]
    return SessionLine(
        session_id=session,
        service_name=min(
            (row["service_name"] for row in rows if row["service_name"]), default=None
        ),
        started_at=sums.moment(
            min((row.get("first_started_at") or row["last_said_at"] for row in rows), default=None)
        ),
        log=log,
        telemetry=telemetry,
        meter=meter,
        own=own,
        counted=counted,
        unexplained=unexplained,
        roles=tuple(roles),
        differs=any(one != says[0] for one in says)
        or not (unexplained is None or unexplained.is_nothing),
    )


def _kinds(row: Row) -> Kinds:
    return Kinds(
        input=row["input_tokens"],
        cache_read=row["cache_read_tokens"],
        cache_write=row["cache_write_tokens"],
        output=row["output_tokens"],
        reasoning=row["reasoning_tokens"],
    )


def _said(row: Row | None) -> Said | None:
    return None if row is None else Said(calls=row["calls"], tokens=_kinds(row))


def _own(teller: Teller, row: Row) -> Own:
    return Own(teller=teller, tokens=_kinds(row), cost_usd=row["cost_usd"])


def _role(row: Row) -> Role:
    return Role(row["role"], row["calls"], row["hidden_calls"], _kinds(row))


def _counted(roles: Sequence[Role]) -> Said:
    def added(name: str) -> int | None:
        known = [getattr(one.tokens, name) for one in roles]
        known = [number for number in known if number is not None]
        return sum(known) if known else None

    return Said(
        calls=sum(one.calls for one in roles),
        tokens=Kinds(
            added("input"), added("cache_read"), added("cache_write"), added("output"),
            added("reasoning"),
        ),
    )  # fmt: skip


def _sides(line: SessionLine) -> int:
    """How many say something of a session: its sources, and the agent's own total."""
    return sum(one is not None for one in (line.log, line.telemetry, line.meter, line.own))


def _place(line: SessionLine) -> tuple[bool, int, str]:
    """Where a session stands: what differs first, and of it what is explained least."""
    unexplained = line.unexplained.sides if line.unexplained is not None else None
    return not line.differs, -abs(unexplained or 0), line.session_id


def _warnings(reader: Reader) -> Iterator[str]:
    yield from reader.store_warnings
    if reader.pruned_before:
        yield (
            f"spans before {reader.pruned_before} were pruned: what sources said of them is gone, "
            "and what counts is not."
        )
