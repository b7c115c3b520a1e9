"""Import a file of hourly data: recognise it, check every row, and keep it whole or not at all."""

from __future__ import annotations

import csv
import gzip
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from agenttrace.energy import places
from agenttrace.energy.grid import forms, hourly, times
from agenttrace.errors import FactorError

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from agenttrace.energy.grid.forms import Form, Kind

MOST_G_PER_KWH: Final = 3000.0
"""No power station emits as much; a larger value is in another unit."""

_ZONE: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]*"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        form: What the file was taken for.
        note: What a reader should know about its figures; empty if nothing.
        rows: Rows of the file with a value.
        left_out: Rows of the file without one.
        single: Times of the doubled hour of autumn that the file has only once.
        zones: What became of the hours, by zone.
    """

    form: str
    note: str
    rows: int
    left_out: int
    single: tuple[str, ...]
    zones: tuple[hourly.Written, ...]


def import_file(
    home: Path,
    path: Path,
    *,
    zone: str | None = None,
    tz: str | None = None,
    kind: Kind | None = None,
) -> Imported:
    """Import *path* to the hourly data in *home*.

    Args:
        home: Folder of the data.
        path: CSV (``.gz`` too), Parquet, or the JSON of WattTime.
        zone: Zone of every row, in place of what the file says.
        tz: Time zone of times that have none.
        kind: What the intensities are, where the file does not say.

    Raises:
        FactorError: The file cannot be read, is of no known form, a row of it is wrong, or the
            hours cannot be written. Nothing is kept then.
    """
    # 40 ms to import, and only an import needs it.
    import duckdb

    file = path.name
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        columns, kind = _sheet(connection, path, kind)
        form = forms.recognised(file, columns, kind)
        _readings(connection, file, form, zone)
        single = _moments(connection, file, form, tz)
        _check(connection, file)
        _check_steps(connection, file, form)
        rows, left_out = _hours(connection, form)
        note = "; ".join(said for said in (form.note, _split(connection)) if said)
        written = hourly.keep(connection, home)
    return Imported(form.name, note, rows, left_out, single, tuple(written))


def _sheet(
    connection: DuckDBPyConnection, path: Path, kind: Kind | None
) -> tuple[list[str], Kind | None]:
    """Read the file into the table ``sheet``, in which every cell is text, with its line."""
    # 40 ms to import, and only an import needs it.
    import duckdb

    if not path.exists():
        raise FactorError(f"{path} does not exist. Name a file that does.")
    if path.is_dir():
        raise FactorError(f"{path} is a folder. Name a file in it.")
    if path.suffix == ".json":
        return _json(connection, path, kind)
    # A header is line 1 of a CSV; rows of Parquet are counted from 1.
    source, first = (_parquet(path), 1) if path.suffix == ".parquet" else (_csv(path), 2)
    try:
        connection.execute(
            f"CREATE TEMP TABLE sheet AS SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {source}"
        )
    except duckdb.Error as error:
        raise _unreadable(path.name, error) from error
    columns = [row[0] for row in connection.execute("DESCRIBE sheet").fetchall()]
    connection.execute(f"ALTER TABLE sheet ADD COLUMN {_LINE} BIGINT")
    connection.execute(f"UPDATE sheet SET {_LINE} = rowid + {first}")
    if _one(connection, "SELECT count(*) FROM sheet") == 0:
        raise _without_rows(path.name)
    return columns, kind


_LINE: Final = '"line in the file"'


def _parquet(path: Path) -> str:
    return f"read_parquet({hourly.quoted(path)})"


def _csv(path: Path) -> str:
    """Return SQL for a CSV. Nothing but the delimiter is guessed, so that no row is passed over."""
    header = _header(path)
    delimiter = max(",;\t|", key=header.count)
    said = next(csv.reader([header], delimiter=delimiter))
    # pandas, for one, writes its index without a name.
    names = [name or f"column {place}" for place, name in enumerate(said, start=1)]
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise FactorError(f"{path.name}, line 1: column {twice[0]!r} is there twice. Remove one.")
    columns = ", ".join(f"{_quoted(name)}: 'VARCHAR'" for name in names)
    return (
        f"read_csv({hourly.quoted(path)}, auto_detect = false, header = true, quote = '\"', "
        f"escape = '\"', delim = {_quoted(delimiter)}, columns = {{{columns}}})"
    )


def _header(path: Path) -> str:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            line = file.readline(_HEADER_BYTES).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise _no_table(path.name, error) from error
    if not line.strip():
        raise _without_rows(path.name)
    return line.rstrip("\r\n")


_HEADER_BYTES: Final = 65_536
_BAD_LINE: Final = re.compile(r"CSV Error on Line: (\d+)")


def _unreadable(file: str, error: BaseException) -> FactorError:
    reason = str(error)
    found = _BAD_LINE.search(reason)
    if found and "unicode" in reason.lower():
        return FactorError(f"{file}, line {found.group(1)}: it is not UTF-8. Save the file so.")
    if found:
        return FactorError(
            f"{file}, line {found.group(1)}: it does not have as many cells as the header. "
            f"Correct the row, or leave it out."
        )
    return _no_table(file, error)


def _no_table(file: str, error: BaseException) -> FactorError:
    # It loads the database, which only an import needs.
    from agenttrace.store import lake

    return FactorError(
        f"{file} cannot be read as a table: {lake.reason(error)} Name a CSV (.gz too) or Parquet."
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _without_rows(file: str) -> FactorError:
    return FactorError(f"{file} has no rows. Export it again, with a header and a row per hour.")


class _Meta(msgspec.Struct):
    region: str = ""
    signal_type: str = ""
    units: str = ""


class _Point(msgspec.Struct):
    point_time: str
    value: float


class _WattTime(msgspec.Struct):
    data: list[_Point]
    meta: _Meta = msgspec.field(default_factory=_Meta)


def _json(
    connection: DuckDBPyConnection, path: Path, kind: Kind | None
) -> tuple[list[str], Kind | None]:
    try:
        read = msgspec.json.decode(path.read_bytes(), type=_WattTime)
    except (OSError, msgspec.MsgspecError) as error:
        raise FactorError(
            f"{path.name} is not the JSON that WattTime answers with: {error}. "
            f"Other data is read as CSV or Parquet."
        ) from error
    if read.meta.units not in ("", "lbs_co2_per_mwh"):
        raise FactorError(
            f"{path.name}, meta.units: {read.meta.units!r} is no carbon intensity that is known. "
            f"Ask for the signal co2_moer or co2_aoer."
        )
    if not read.data:
        raise _without_rows(path.name)
    connection.execute(
        f"CREATE TEMP TABLE sheet AS SELECT unnest($1::VARCHAR[]) AS point_time, "
        f"unnest($2::DOUBLE[])::VARCHAR AS value, $3 AS region, "
        f"unnest(range(1, $4::BIGINT + 1)) AS {_LINE}",
        [
            [point.point_time for point in read.data],
            [point.value for point in read.data],
            read.meta.region or None,
            len(read.data),
        ],
    )
    if read.meta.signal_type == "co2_aoer":
        kind = "average"
    return ["point_time", "value", "region"], kind


def _readings(connection: DuckDBPyConnection, file: str, form: Form, zone: str | None) -> None:
    """Make the table ``reading``: line, time, zone and values, as the file has them."""
    if not form.zone and zone is None:
        raise FactorError(f"{file} does not say its zone. Give it with --zone, such as --zone DE.")
    connection.execute(
        f"CREATE TEMP TABLE reading AS SELECT {_LINE} AS line, {form.stamp} AS stamp, "
        f"{form.zone if zone is None else '$zone'} AS said_zone, {form.g or 'NULL'} AS g, "
        f"{form.marginal or 'NULL'} AS marginal, {form.cfe or 'NULL'} AS cfe FROM sheet",
        {"zone": zone} if zone is not None else None,
    )
    if row := _first(connection, "stamp IS NULL", "line"):
        raise FactorError(f"{file}, line {row[0]}: the time is missing. Give every row one.")
    if row := _first(connection, "said_zone IS NULL", "line"):
        raise FactorError(
            f"{file}, line {row[0]}: the zone is missing. Fill it in, or give --zone for all rows."
        )
    for column, name in (("g", "intensity"), ("marginal", "intensity"), ("cfe", "share")):
        wrong = f"{column} IS NOT NULL AND try_cast({column} AS DOUBLE) IS NULL"
        if row := _first(connection, wrong, f"line, {column}"):
            raise FactorError(f"{file}, line {row[0]}: the {name} {row[1]!r} is no number.")
    if not form.may_lack and (
        row := _first(connection, "g IS NULL AND marginal IS NULL AND cfe IS NULL", "line")
    ):
        raise FactorError(
            f"{file}, line {row[0]}: there is no value. Leave the row out: the hour then has the "
            f"annual value, and says so."
        )
    _scale(connection, form)
    _zones(connection, file)


def _scale(connection: DuckDBPyConnection, form: Form) -> None:
    connection.execute(
        "CREATE TEMP TABLE scaled AS SELECT line, stamp, said_zone, "
        "g::DOUBLE * $g AS g_per_kwh, marginal::DOUBLE * $g AS marginal_g_per_kwh, "
        "cfe::DOUBLE * $cfe AS cfe_share FROM reading",
        {"g": form.g_per_unit, "cfe": form.cfe_per_unit},
    )


def _zones(connection: DuckDBPyConnection, file: str) -> None:
    """Make the table ``zone_name``: what the zones of the file are called here."""
    said = connection.execute(
        "SELECT said_zone, min(line), regexp_full_match(said_zone, $1) FROM reading GROUP BY ALL",
        [_ZONE],
    ).fetchall()
    for name, line, is_name in said:
        if not is_name:
            raise FactorError(
                f"{file}, line {line}: {name!r} is no name of a zone. Use a code such as DE or "
                f"US-CAL-CISO, or give --zone for all rows."
            )
    connection.execute(
        "CREATE TEMP TABLE zone_name AS "
        "SELECT unnest($1::VARCHAR[]) AS said_zone, unnest($2::VARCHAR[]) AS zone",
        [[row[0] for row in said], [places.zone_of(row[0]) for row in said]],
    )


def _moments(
    connection: DuckDBPyConnection, file: str, form: Form, tz: str | None
) -> tuple[str, ...]:
    """Make the table ``timed``: the readings with their time in UTC.

    Returns:
        Times of the doubled hour of autumn that the file has once: they are the first of the two.
    """
    stamps = [
        times.Stamp(*row)
        for row in connection.execute(
            "SELECT stamp, min(line) FROM reading GROUP BY stamp ORDER BY min(line)"
        ).fetchall()
    ]
    moments = times.moments(
        file, stamps, tz or form.tz or None, given=tz is not None, patterns=form.patterns
    )
    connection.execute(
        "CREATE TEMP TABLE moment AS SELECT unnest($1::VARCHAR[]) AS stamp, "
        "unnest($2::BIGINT[]) AS occurrence, unnest($3::TIMESTAMP[]) AS utc",
        [
            [stamp for stamp, _ in moments.utc],
            [occurrence for _, occurrence in moments.utc],
            list(moments.utc.values()),
        ],
    )
    connection.execute(
        "CREATE TEMP TABLE timed AS SELECT numbered.*, moment.utc FROM ("
        "SELECT scaled.*, zone_name.zone, row_number() OVER ("
        "PARTITION BY zone_name.zone, scaled.stamp ORDER BY scaled.line) AS occurrence "
        "FROM scaled INNER JOIN zone_name USING (said_zone)) AS numbered "
        "LEFT JOIN moment USING (stamp, occurrence)"
    )
    if not moments.ambiguous:
        return ()
    once = connection.execute(
        "SELECT DISTINCT stamp FROM timed WHERE stamp IN (SELECT unnest($1::VARCHAR[])) "
        "GROUP BY zone, stamp HAVING count(*) = 1 ORDER BY stamp",
        [sorted(moments.ambiguous)],
    ).fetchall()
    return tuple(row[0] for row in once)


def _check(connection: DuckDBPyConnection, file: str) -> None:
    _check_times(connection, file)
    for column in ("g_per_kwh", "marginal_g_per_kwh"):
        wrong = f"NOT isfinite({column}) OR {column} < 0"
        if row := _first(connection, wrong, f"line, {column}", "timed"):
            raise FactorError(
                f"{file}, line {row[0]}: {row[1]:g} g/kWh is negative or no number. Electricity "
                f"emits nothing or more: correct the row, or leave it out."
            )
        if row := _first(connection, f"{column} > {MOST_G_PER_KWH}", f"line, {column}", "timed"):
            raise FactorError(
                f"{file}, line {row[0]}: {row[1]:g} g/kWh is more than any power station emits "
                f"({MOST_G_PER_KWH:g}). Give gCO2e per kWh: g/kWh is kg/MWh, and lb/MWh times "
                f"0.4536."
            )
    if row := _first(
        connection, "NOT coalesce(cfe_share BETWEEN 0 AND 1, TRUE)", "line, cfe_share", "timed"
    ):
        raise FactorError(
            f"{file}, line {row[0]}: the carbon-free share {row[1]:g} is not from 0 to 1. "
            f"Divide a percentage by 100."
        )


_TWICE: Final = """
SELECT later.line, later.stamp, later.zone, earlier.line
FROM timed AS later
INNER JOIN timed AS earlier
    ON later.zone = earlier.zone AND earlier.line < later.line
    AND (
        (later.utc IS NULL AND later.stamp = earlier.stamp)
        OR later.utc = earlier.utc
    )
ORDER BY later.line, earlier.line
LIMIT 1
"""

_ANY_TWICE: Final = """
SELECT count(*) > count(DISTINCT (zone, utc)) OR count(*) > count(utc) FROM timed
"""


def _check_times(connection: DuckDBPyConnection, file: str) -> None:
    # The join is quadratic in the worst case, and needed for the message only.
    if not _one(connection, _ANY_TWICE):
        return
    row = connection.execute(_TWICE).fetchone()
    assert row is not None
    raise FactorError(
        f"{file}, line {row[0]}: {row[1]} of {row[2]} is given already in line {row[3]}. "
        f"Remove one of the two."
    )


# The commonest step of each zone in seconds, the shortest of several; a zone of one row has none.
_STEPS: Final = """
CREATE TEMP TABLE step AS
SELECT zone, first(seconds ORDER BY times DESC, seconds) AS seconds, sum(times) AS steps
FROM (
    SELECT zone, seconds, count(*) AS times
    FROM (
        SELECT zone, epoch(utc) - lag(epoch(utc)) OVER (PARTITION BY zone ORDER BY utc) AS seconds
        FROM timed
    )
    WHERE seconds IS NOT NULL
    GROUP BY ALL
)
GROUP BY zone
"""

_HOUR_S: Final = 3600


def _check_steps(connection: DuckDBPyConnection, file: str, form: Form) -> None:
    """Make the table ``step``, and refuse what is not by the hour, such as means of days."""
    connection.execute(_STEPS)
    # An export has every row, so one step tells; two rows of our own form may be two single hours.
    row = connection.execute(
        "SELECT zone, seconds FROM step WHERE seconds > $1 AND steps >= $2 ORDER BY zone LIMIT 1",
        [_HOUR_S, 1 if form.may_lack else 2],
    ).fetchone()
    if row:
        raise FactorError(
            f"{file}: most rows of {row[0]} are {row[1] / _HOUR_S:g} hours apart, and an hour is "
            f"not told by the mean of a longer time. Export the data by the hour, or give a row "
            f"for each hour."
        )


# A row is split where it begins within an hour and is as long as one: local hours of a zone such
# as India's begin at half past.
_PIECES: Final = """
CREATE TEMP TABLE piece AS
WITH span AS (
    SELECT
        timed.*,
        timed.utc - to_hours($early) AS beginning,
        CASE WHEN step.seconds = $hour_s THEN (epoch(beginning) % $hour_s) / $hour_s ELSE 0 END
            AS later
    FROM timed
    LEFT JOIN step USING (zone)
)

SELECT
    span.* EXCLUDE (later, beginning),
    date_trunc('hour', span.beginning) AS hour,
    1 - span.later AS weight
FROM span
UNION ALL
SELECT
    span.* EXCLUDE (later, beginning),
    date_trunc('hour', span.beginning) + to_hours(1) AS hour,
    span.later AS weight
FROM span
WHERE span.later > 0
"""

# Rounded, for the last digit of a mean depends on the order in which threads add it up.
_HOURS: Final = """
CREATE TEMP TABLE new_hour AS
SELECT
    zone,
    hour,
    round(
        sum(g_per_kwh * weight) / sum(weight) FILTER (WHERE g_per_kwh IS NOT NULL), 6
    ) AS g_per_kwh,
    round(
        sum(marginal_g_per_kwh * weight)
        / sum(weight) FILTER (WHERE marginal_g_per_kwh IS NOT NULL), 6
    ) AS marginal_g_per_kwh,
    round(
        sum(cfe_share * weight) / sum(weight) FILTER (WHERE cfe_share IS NOT NULL), 9
    ) AS cfe_share,
    CASE WHEN count(g_per_kwh) + count(cfe_share) > 0 THEN $source END AS source,
    CASE WHEN count(marginal_g_per_kwh) > 0 THEN $source END AS marginal_source,
    $now::TIMESTAMP AS imported_at
FROM piece
WHERE coalesce(g_per_kwh, marginal_g_per_kwh, cfe_share) IS NOT NULL
GROUP BY zone, hour
"""


def _hours(connection: DuckDBPyConnection, form: Form) -> tuple[int, int]:
    """Make the table ``new_hour``: the mean of each hour."""
    connection.execute(_PIECES, {"early": int(form.stamps_end), "hour_s": _HOUR_S})
    connection.execute(
        _HOURS,
        {
            "source": form.name,
            "now": datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        },
    )
    valued = "coalesce(g_per_kwh, marginal_g_per_kwh, cfe_share) IS NOT NULL"
    rows = _one(connection, f"SELECT count(*) FILTER (WHERE {valued}) FROM timed")
    every = _one(connection, "SELECT count(*) FROM timed")
    if rows == 0:
        raise FactorError(f"{form.name}: no row has a value. Export it again.")
    return rows, every - rows


def _split(connection: DuckDBPyConnection) -> str:
    """Return what to say of rows that are split over two hours; empty where there are none."""
    split = _one(connection, "SELECT count(*) FROM piece WHERE weight < 1")
    return "its hours do not begin with those of UTC, so each is split over two" if split else ""


def _first(
    connection: DuckDBPyConnection, condition: str, columns: str, table: str = "reading"
) -> tuple[Any, ...] | None:
    return connection.execute(
        f"SELECT {columns} FROM {table} WHERE {condition} ORDER BY line LIMIT 1"
    ).fetchone()


def _one(connection: DuckDBPyConnection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row[0]
