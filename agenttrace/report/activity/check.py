"""Whether the rows of a file are as they were exported, and whether the store still gives them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isclose

from agenttrace.compare import periods
from agenttrace.energy.pricing import Pricing
from agenttrace.model import Table
from agenttrace.reader import Reader
from agenttrace.report.activity import canonical
from agenttrace.report.activity.builder import activity
from agenttrace.report.activity.values import Meta
from agenttrace.report.selection import Selection

_TOLERANCE = 1e-9  # sums of floating-point numbers depend on their order in the last digits


@dataclass(frozen=True, slots=True)
class Digest:
    """The hash of a table.

    Attributes:
        table: Its name.
        rows: How many rows it has.
        found: Of the rows in the file.
        exported: Of the rows as they were exported; None where nothing says it.
    """

    table: str
    rows: int
    found: str
    exported: str | None

    @property
    def is_as_exported(self) -> bool:
        """The rows are those that were exported."""
        return self.found == self.exported


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of the file that the store does not give.

    Attributes:
        table: Name of the table.
        row_id: The row.
        column: The column; None where the whole row is on one side only.
        in_file: What the file says.
        in_store: What the store says.
    """

    table: str
    row_id: str
    column: str | None
    in_file: object
    in_store: object


def digests(tables: Mapping[str, Table], meta: Meta | None) -> list[Digest]:
    """Return the hash of each table beside the one that was exported."""
    exported = meta.sha256 if meta else {}
    return [
        Digest(name, len(table.rows), canonical.sha256(table), exported.get(name))
        for name, table in tables.items()
    ]


def pricing(meta: Meta) -> Pricing:
    """Return the choices that an export was made under."""
    boundary = meta.boundary
    if boundary not in ("accelerator", "server", "facility"):
        raise ValueError(f"{boundary!r} is no boundary")
    return Pricing(boundary=boundary, factors_version=meta.factor_version, region=meta.region)


def differences(reader: Reader, tables: Mapping[str, Table], meta: Meta) -> list[Difference]:
    """Return the figures of a file that the store does not give any more, or not yet.

    Args:
        reader: An open reader, with the choices of :func:`pricing`.
        tables: Rows of the file.
        meta: What the export says of itself.

    Raises:
        ConfigError: The export names no months.
        QueryError: The store has no such calls.
    """
    workload = meta.workload
    if workload not in (None, "agentic", "user-facing"):
        raise ValueError(f"{workload!r} is no workload")
    selection = Selection(
        period=periods.parse(meta.period),
        workload=workload,
        project=meta.project,
        task_name=meta.task_name,
        agent=meta.agent,
    )
    now = activity(reader, selection).tables
    return [
        difference
        for name, table in tables.items()
        for difference in _differences(name, table, now[name])
    ]


def _differences(name: str, said: Table, now: Table) -> Iterator[Difference]:
    before, after = _by_id(said), _by_id(now)
    for row_id in dict.fromkeys([*before, *after]):
        mine, yours = before.get(row_id), after.get(row_id)
        if mine is None or yours is None:
            where = (mine is not None, yours is not None)
            yield Difference(name, row_id, None, *where)
            continue
        for column in dict.fromkeys([*mine, *yours]):
            if not _same(mine.get(column), yours.get(column)):
                yield Difference(name, row_id, column, mine.get(column), yours.get(column))


def _by_id(table: Table) -> dict[str, dict[str, object]]:
    rows = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    return {str(row.get("row_id")): row for row in rows}


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=_TOLERANCE)
    return one == other
