import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agenttrace import __version__
from agenttrace.errors import SchemaVersionError, StoreError
from agenttrace.store import Store, columns, published, segments
from tests.builders import chat, later, loose, opened, put, segment, write

NEWEST = len(list(published.MIGRATIONS.glob("*.sql")))
RECORDS = loose(*(chat(input=number) for number in range(3)))

# Opens a store in another process and says what it found.
LOOK = """
import json, os, resource, signal, sys
from pathlib import Path
from agenttrace.store import Store
if len(sys.argv) > 3:
    # The disk is full for every file that grows over so many bytes.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
if sys.argv[2:] == ["as nobody"]:
    # Whatever is imported late is imported now: nobody may not read where it lies.
    with Store.open(Path("/nowhere")) as store:
        store.connection.execute("SELECT unnest($1)", [["x"]]).fetchall()
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
with Store.open(Path(sys.argv[1])) as store:
    rows = store.connection.sql("SELECT input_tokens FROM span ORDER BY 1").fetchall()
    print(json.dumps({"inputs": [row[0] for row in rows], "warnings": store.warnings}))
"""


def tables(store: Store) -> dict[str, int]:
    return {
        name: len(store.connection.sql(f"FROM {name}").fetchall())
        for name in ("span", "quarantine", "lost")
    }


@pytest.mark.parametrize("made", [False, True], ids=["no folder", "an empty folder"])
def test_where_nothing_was_recorded_the_tables_are_empty_and_nothing_is_made(
    home: Path, made: bool
) -> None:
    if made:
        (home / "spool").mkdir(parents=True)
    with Store.open(home) as store:
        assert (tables(store), store.rows) == ({"span": 0, "quarantine": 0, "lost": 0}, 0)
        assert store.warnings == [
            f"Nothing is recorded in {home} yet. `agenttrace import` reads the logs of coding "
            "agents, agenttrace.configure() records a program, `agenttrace demo` shows an example."
        ]
    assert [path.name for path in home.rglob("*")] == (["spool"] if made else [])


def test_the_span_table_is_the_same_with_and_without_spans(home: Path) -> None:
    described = "DESCRIBE span"
    with Store.open(home) as store:
        empty = store.connection.sql(described).fetchall()
    with opened(home, RECORDS) as store:
        assert store.connection.sql(described).fetchall() == empty
    assert [(row[0], row[1]) for row in empty] == [
        (column.name, column.type) for column in columns.COLUMNS
    ]


def test_a_part_of_an_older_agenttrace_has_null_in_the_columns_it_lacks(home: Path) -> None:
    with opened(home, RECORDS[:1]):
        pass
    (part,) = (home / "lake" / "spans").rglob("*.parquet")
    older = part.with_suffix(".new")
    duckdb.connect().execute(
        f"COPY (SELECT * EXCLUDE (region) FROM '{part}') TO '{older}' (FORMAT parquet)"
    )
    older.replace(part)
    with opened(home, RECORDS[1:]) as store:
        found = store.connection.sql("SELECT region, input_tokens FROM span ORDER BY ALL")
        assert found.fetchall() == [(None, 0), (None, 1), (None, 2)]


def change(home: Path, sql: str) -> None:
    with duckdb.connect(str(home / published.NAME)) as connection:
        connection.execute(sql)


def test_a_store_from_a_newer_version_is_refused(home: Path) -> None:
    with opened(home, RECORDS):
        pass
    change(
        home,
        "UPDATE meta SET value = CASE key WHEN 'schema_version' THEN '999' ELSE '0.9' END",
    )
    write(home, RECORDS)
    with pytest.raises(SchemaVersionError) as raised:
        Store.open(home)
    assert str(raised.value) == (
        f"{home / 'store.duckdb'} was written by agenttrace 0.9 (schema 999); this is "
        f"{__version__} (schema {NEWEST}). Upgrade agenttrace."
    )
    assert len(list((home / "spool").iterdir())) == 1


def test_a_store_that_is_no_database_is_an_error_with_a_way_out_that_works(home: Path) -> None:
    with opened(home, RECORDS[:2]):
        pass
    (home / published.NAME).write_bytes(b"not a database")
    with pytest.raises(StoreError, match=r"store\.duckdb cannot be read: .* Move it away"):
        Store.open(home)
    (home / published.NAME).rename(home / "away.duckdb")
    with opened(home, RECORDS[2:]) as store:
        assert (tables(store)["span"], store.warnings) == (3, [])


def test_a_part_that_is_no_parquet_is_kept_aside_when_a_store_is_made_again(home: Path) -> None:
    with opened(home, RECORDS[:2]):
        pass
    (home / published.NAME).unlink()
    (home / "lake" / "spans" / "0.parquet").write_bytes(b"PAR1 torn")
    with opened(home, RECORDS[2:]) as store:
        assert tables(store)["span"] == 3
        assert [warning.partition(" is no ")[0] for warning in store.warnings] == [
            str(home / "lake" / "spans" / "0.parquet")
        ]
    assert (home / "quarantine" / "0.parquet").read_bytes() == b"PAR1 torn"


def test_a_file_of_the_lake_that_is_gone_is_an_error_that_names_it(home: Path) -> None:
    with opened(home, RECORDS):
        pass
    (part,) = (home / "lake" / "spans").rglob("*.parquet")
    part.unlink()
    with pytest.raises(StoreError, match=rf"cannot be read: .*{part.name}.* Restore the file"):
        Store.open(home)


@pytest.fixture
def readable_home() -> Iterator[Path]:
    """A home that other users may reach, which pytest's folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="agenttrace-"))
    folder.chmod(0o755)
    yield folder / "home"
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def look(home: Path, *how: str) -> dict[str, Any]:
    """Open the store in another process, which cannot keep what it covers."""
    command = [sys.executable, "-c", LOOK, home, *how]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    ended = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_read_only_folder_is_read_with_what_is_new_in_memory(readable_home: Path) -> None:
    home = readable_home
    with opened(home, RECORDS[:1]):
        pass
    put(home, "9-1-1", segment(RECORDS[1:]))
    for path in [home, *home.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(path.name for path in home.rglob("*"))
    # The superuser may write anywhere.
    found = look(home, *(["as nobody"] if os.geteuid() == 0 else []))
    assert found["inputs"] == [0, 1, 2]
    assert found["warnings"] == [
        f"{home} cannot be written, so what is new is read into memory for this report only: "
        "Permission denied."
    ]
    assert sorted(path.name for path in home.rglob("*")) == before


@pytest.mark.parametrize("before", [0, 1], ids=["at first", "later"])
@pytest.mark.parametrize("size", [0, 5_000, 20_000, 60_000])
def test_a_full_disk_is_read_with_what_is_new_in_memory(home: Path, before: int, size: int) -> None:
    if before:
        with opened(home, RECORDS[:1]):
            pass
    write(home, RECORDS[before:])
    found = look(home, "on a full disk", str(size))
    assert found["inputs"] == [0, 1, 2]
    (warning,) = found["warnings"]
    assert warning.startswith(f"{home} cannot be written, so what is new is read into memory")
    # And when there is room again, it is folded.
    with opened(home) as store:
        assert tables(store)["span"] == 3
    assert list((home / "spool").iterdir()) == []


def test_where_no_lock_can_be_made_what_is_new_is_read_in_memory(home: Path) -> None:
    (home / "fold.lock").mkdir(parents=True)
    put(home, "1-1-1", segment(RECORDS) + b"{torn\n")
    with Store.open(home) as store:
        assert tables(store) == {"span": 3, "quarantine": 1, "lost": 0}
        assert len(store.warnings) == 2
    assert len(list((home / "spool").iterdir())) == 1


def test_a_small_store_is_read_on_one_core_and_a_large_one_on_all(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = "SELECT current_setting('threads')"
    with duckdb.connect() as connection:
        everything = connection.sql(threads).fetchall()
    with opened(home, RECORDS) as store:
        assert store.connection.sql(threads).fetchall() == [(1,)]
    monkeypatch.setattr("agenttrace.store._PARALLEL_FROM", 3)
    with Store.open(home) as store:
        assert store.connection.sql(threads).fetchall() == everything


def test_a_store_that_never_stops_changing_is_an_error(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = itertools.count()
    monkeypatch.setattr("agenttrace.store._identity", lambda home: next(looks))
    with pytest.raises(StoreError, match="does not stop changing"):
        Store.open(home)


def test_a_store_that_changes_while_it_is_read_is_read_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others record and fold between a reader's look at the store and its look at the spool."""
    with opened(home, RECORDS[:1]):
        pass
    real = segments.new

    def new_but_overtaken(*arguments: Any) -> Iterator[segments.Slice]:
        monkeypatch.setattr(segments, "new", real)
        with opened(home, RECORDS[1:]):
            pass
        return real(*arguments)

    monkeypatch.setattr(segments, "new", new_but_overtaken)
    with Store.open(home) as store:
        assert tables(store)["span"] == 3


def test_migrations_bring_an_older_store_to_the_newest_schema(home: Path, tmp_path: Path) -> None:
    with opened(home, RECORDS):
        pass
    steps = shutil.copytree(published.MIGRATIONS, tmp_path / "migrations")
    (steps / "0998_more.sql").write_text("ALTER TABLE part ADD COLUMN colour VARCHAR;")
    (steps / "0999_most.sql").write_text("ALTER TABLE part RENAME COLUMN colour TO color;")
    with duckdb.connect() as connection:
        published.change(connection, home, lambda store: None, steps)
    with duckdb.connect(str(home / published.NAME)) as connection:
        assert connection.sql("SELECT rows, color FROM part").fetchall() == [(3, None)]
        facts = dict(connection.sql("FROM meta").fetchall())
    assert (facts["schema_version"], facts["written_by"]) == ("999", __version__)


def test_the_store_of_an_older_agenttrace_is_read_and_stays_as_it_is(
    home: Path, tmp_path: Path
) -> None:
    with opened(home, RECORDS):
        pass
    before = (home / published.NAME).read_bytes()
    steps = shutil.copytree(published.MIGRATIONS, tmp_path / "migrations")
    (steps / "0999_more.sql").write_text("UPDATE part SET rows = rows * 2;")
    with duckdb.connect() as connection:
        assert [part.rows for part in published.read(connection, home, steps).parts] == [6]
    assert (home / published.NAME).read_bytes() == before


def test_a_migration_that_fails_leaves_the_store_as_it_was(home: Path, tmp_path: Path) -> None:
    with opened(home, RECORDS):
        pass
    steps = shutil.copytree(published.MIGRATIONS, tmp_path / "migrations")
    (steps / "0999_wrong.sql").write_text("ALTER TABLE nothing ADD COLUMN colour VARCHAR;")
    with duckdb.connect() as connection, pytest.raises(duckdb.CatalogException):
        published.change(connection, home, lambda store: None, steps)
    with opened(home) as store:
        assert tables(store)["span"] == 3


def test_every_table_and_column_of_the_store_has_a_comment(home: Path) -> None:
    with opened(home, RECORDS):
        pass
    with duckdb.connect(str(home / published.NAME)) as connection:
        silent = connection.sql(
            "SELECT table_name, column_name FROM duckdb_columns() "
            "WHERE NOT internal AND comment IS NULL "
            "UNION ALL SELECT table_name, '' FROM duckdb_tables() WHERE comment IS NULL"
        ).fetchall()
    assert silent == []


def test_what_was_recorded_is_nobody_elses_business(home: Path) -> None:
    with opened(home, RECORDS[:1]):
        pass
    with opened(home, RECORDS[1:]):
        pass
    modes = {path: oct(path.stat().st_mode & 0o777) for path in [home, *home.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_file()} == {"0o600"}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {"0o700"}


def test_each_day_on_which_spans_started_has_a_folder_of_its_own(home: Path) -> None:
    with opened(home, RECORDS[:1], later(RECORDS[1:], 86_400)) as store:
        assert tables(store)["span"] == 3
        rows = "SELECT started_at::DATE::VARCHAR, count(*) FROM span GROUP BY ALL ORDER BY ALL"
        assert store.connection.sql(rows).fetchall() == [("2025-10-09", 1), ("2025-10-10", 2)]
    assert sorted(folder.name for folder in (home / "lake" / "spans").iterdir()) == [
        "date=2025-10-09",
        "date=2025-10-10",
    ]


def test_spans_are_looked_at_only_when_they_are_asked_for(home: Path) -> None:
    with opened(home, RECORDS):
        pass
    with Store.open(home, spans=False) as store:
        with pytest.raises(duckdb.CatalogException):
            store.connection.sql("FROM span")
        assert (store.rows, store.is_rolled_up) == (3, True)
        store.define_span()
        store.define_span()
        assert tables(store)["span"] == 3


def test_the_store_is_small(home: Path) -> None:
    with opened(home, RECORDS):
        pass
    assert (home / published.NAME).stat().st_size < 400_000
