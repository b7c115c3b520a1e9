"""Whether the data are in order: the store, the spool, and what is known of imports."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from agenttrace.doctor.findings import Finding, Machine, count, size
from agenttrace.sources import ledger as ledgers

if TYPE_CHECKING:
    from agenttrace.store.facts import Facts

_MUCH: Final = 256 * 1024 * 1024  # bytes that wait: the next report takes seconds longer

_WAYS: Final = {
    "disk full": "Free space on the disk.",
    "spool full": "Raise AGENTTRACE_MAX_SPOOL, or run `agenttrace store fold` more often.",
    "deleted": "Let nothing but agenttrace delete files in its folder.",
}


def recording(machine: Machine) -> Iterator[Finding]:
    """Say what is set that keeps programs from recording, or that means nothing."""
    if machine.settings.disabled:
        says = "programs record nothing, for OTEL_SDK_DISABLED is true"
        yield Finding("Data", "Recording", says, "warning", "unset OTEL_SDK_DISABLED")
    for said in machine.settings.unsaid:
        yield Finding("Data", "Recording", said.rstrip("."), "note")


def ledger(machine: Machine) -> Iterator[Finding]:
    """Say whether what is known of imports can be read."""
    path = machine.home / ledgers.NAME
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            ((files,),) = connection.execute("SELECT count(*) FROM file").fetchall()
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            yield Finding("Data", "Imports", "an import is under way")
            return
        yield _no_ledger(machine, path)
    except sqlite3.Error:
        yield _no_ledger(machine, path)
    else:
        says = f"{count(files, 'file')} read, the last time on {_time(path)}"
        yield Finding("Data", "Imports", says)


def store(machine: Machine) -> Iterator[Finding]:
    """Say whether the store can be read and written, what waits, and what is missing.

    Raises:
        SchemaVersionError: A newer agenttrace wrote the store.
        StoreError: The store cannot be read.
    """
    # DuckDB takes a moment, and no other check needs it.
    from agenttrace.store import engine
    from agenttrace.store.facts import facts

    folder = machine.shown(machine.home)
    if not machine.home.exists():
        yield Finding("Data", "Folder", f"{folder}: nothing is recorded yet", "note", _BEGIN)
        return
    if not os.access(machine.home, os.W_OK | os.X_OK):
        says = f"{folder} cannot be written: nothing can be recorded"
        yield Finding("Data", "Folder", says, "broken", f"chmod u+rwx {folder}")
        return
    with engine.connect() as connection:
        found = facts(connection, machine.settings)
    said = f"{folder} (from {found.folder_from}), {count(found.lake.spans, 'span')}"
    yield Finding("Data", "Folder", f"{said} in {size(found.lake.bytes)}")
    yield _store(machine, found)
    yield _spool(found)
    yield from _missing(found)


_BEGIN: Final = "`agenttrace import` reads what agents have logged; `agenttrace demo` shows more."


def _store(machine: Machine, found: "Facts") -> Finding:
    from agenttrace.store import published

    schema, newest = found.store.schema, found.store.newest_schema
    if schema is None:
        return Finding("Data", "Store", "none yet: the first report makes it")
    says = f"schema {schema}, {size(found.store.bytes)}, "
    says += f"last fold on {_time(machine.home / published.NAME)}"
    if schema != newest:
        says += f"; the newest schema is {newest}"
        return Finding("Data", "Store", says, "note", "agenttrace store migrate")
    return Finding("Data", "Store", says)


def _spool(found: "Facts") -> Finding:
    spool = found.spool
    waiting = spool.not_folded_bytes
    says = f"{size(waiting)} wait for the next report" if waiting else "nothing waits"
    if spool.max_bytes is not None:
        says += f"; it may hold {size(spool.max_bytes)} and holds {size(spool.bytes)}"
        if spool.bytes > 0.9 * spool.max_bytes:
            return Finding("Data", "Spool", says, "warning", "agenttrace store fold")
    much = waiting > _MUCH
    mend = "agenttrace store fold" if much else None
    return Finding("Data", "Spool", says, "note" if much else "ok", mend)


def _missing(found: "Facts") -> Iterator[Finding]:
    for reason, number in found.lost.items():
        says = f"{count(number, 'record')} could not be written: {reason}"
        yield Finding("Data", "Lost", says, "warning", _WAYS.get(reason))
    for reason, number in found.quarantine.items():
        says = f"{count(number, 'record')} could not be read: {reason}"
        mend = "`agenttrace query quarantine` says which."
        yield Finding("Data", "Quarantined", says, "warning", mend)


def _time(path: Path) -> str:
    return f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%d %H:%M} UTC"


def _no_ledger(machine: Machine, path: Path) -> Finding:
    shown = machine.shown(path)
    says = f"{shown} cannot be read, so nothing can be imported"
    mend = f"Move {shown} away: all is read again, and nothing is counted twice."
    return Finding("Data", "Imports", says, "broken", mend)
