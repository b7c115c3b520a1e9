import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

import agenttrace
from agenttrace.store import Store, compaction, engine, lake, migrate, published, upkeep, verify
from tests.builders import Record, agent, chat, loose, put, segment, spans, task
from tests.store.dying import homes_of_the_dead, on_day

KEPT = Path(__file__).parent / "kept" / "schema_1"
FIRST, SECOND = (spans(task(f"t{n}", agent("a", chat(input=n, output=1))), trace=n) for n in (1, 2))


def fold(home: Path, *batches: list[Record]) -> None:
    """Fold each batch into a file of its own: a batch takes in only what is not much larger."""
    for number, records in enumerate(batches):
        put(home, f"{number}-1-1", segment(records))
        with upkeep.folded(home, []):
            pass


def compacted(home: Path, *, is_rebuilding: bool = False) -> compaction.Compacted:
    with upkeep.folded(home, []) as (connection, _):
        return compaction.compact(connection, home, is_rebuilding=is_rebuilding)


def parts(home: Path) -> list[lake.Part]:
    with duckdb.connect() as connection:
        return list(published.read(connection, home).parts)


def rows(home: Path) -> list[tuple[Any, ...]]:
    with Store.open(home) as store:
        return store.connection.sql("FROM span ORDER BY span_id").fetchall()


def sums(home: Path) -> dict[str, Any]:
    with agenttrace.read(home) as reader:
        return reader.query("totals")[0]


def findings(home: Path) -> list[str]:
    with engine.connect() as connection, verify.snapshot(connection, home, [], print) as seen:
        found = [
            *verify.lake_findings(connection, seen),
            *verify.rollup_findings(connection, seen),
        ]
        return list(map(str, found))


LARGE = loose(*(chat(input=number) for number in range(9)), trace=5)


def test_small_files_of_a_day_become_one_and_others_stay(home: Path) -> None:
    fold(home, LARGE, FIRST, on_day(SECOND, 1))
    before, told = rows(home), sums(home)
    files = [part.file for part in parts(home)]
    assert len(files) == 3
    assert compacted(home).files == (3, 2)
    assert (rows(home), sums(home)) == (before, told)
    # Readers at work find what they had.
    assert all((home / lake.FOLDER / file).exists() for file in files)
    assert findings(home) == []
    assert compacted(home).files == (2, 2)


def test_a_day_is_cut_into_files_that_fit_sorted_by_start(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold(home, LARGE, list(reversed(FIRST)))
    before = rows(home)
    monkeypatch.setattr(compaction, "FILE_ROWS", 8)
    compacted(home)
    found = [(part.rows, part.min_start_ns) for part in parts(home)]
    assert sum(count for count, _ in found) == len(before)
    # The file of nine is no small one of these.
    assert rows(home) == before
    for part in parts(home):
        path = home / lake.FOLDER / part.file
        starts = duckdb.sql(f"SELECT start_ns FROM '{path}'").fetchall()
        assert starts == sorted(starts) or part.rows == len(LARGE)


def test_merged_files_go_an_hour_later(home: Path) -> None:
    fold(home, LARGE, FIRST)
    compacted(home)
    with duckdb.connect(str(home / published.NAME)) as connection:
        connection.execute("UPDATE part SET retired_at = retired_at - INTERVAL 61 MINUTE")
    compacted(home)
    (part,) = parts(home)
    assert [lake.name_of(home, path) for path in lake.find(home)] == [part.file]


def test_files_of_an_earlier_version_come_into_days(home: Path) -> None:
    shutil.copytree(KEPT, home)
    with upkeep.alone(home), engine.connect() as connection:
        done = migrate.migrate(connection, home, [])
    assert done == migrate.Migrated((1, published.newest()), is_rolled_up=True, is_moved=True)
    assert all(lake.date_of(lake.name_of(home, path)) for path in lake.find(home))
    assert len(lake.find(home)) == len(parts(home))
    with upkeep.alone(home), engine.connect() as connection:
        assert not migrate.migrate(connection, home, [])


def test_a_file_that_is_gone_is_listed_no_more_after_a_rebuild(home: Path) -> None:
    fold(home, LARGE, on_day(FIRST, 1))
    gone = parts(home)[-1]
    (home / lake.FOLDER / gone.file).unlink()
    assert compacted(home, is_rebuilding=True).missing == (gone.file,)
    assert findings(home) == []
    assert sums(home)["calls"] == len(LARGE)


def test_where_a_merged_file_is_gone_those_that_it_took_in_are_read_again(home: Path) -> None:
    fold(home, LARGE, FIRST)
    before, told = rows(home), sums(home)
    small = {part.file for part in parts(home)}
    compacted(home)
    (merged,) = parts(home)
    (home / lake.FOLDER / merged.file).unlink()
    done = compacted(home, is_rebuilding=True)
    assert (done.missing, done.repeats) == ((merged.file,), 0)
    assert not small & {part.file for part in parts(home)}  # merged once more
    assert (rows(home), sums(home), findings(home)) == (before, told, [])


def test_where_one_of_the_merged_files_is_gone_no_span_is_lost_or_counts_twice(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold(home, LARGE, FIRST)
    before, told = rows(home), sums(home)
    # A second is one piece, and the calls are within a few.
    monkeypatch.setattr(compaction, "FILE_ROWS", 24)
    monkeypatch.setattr(compaction.pieces, "of_time", _in_two)
    compacted(home)
    assert len(parts(home)) == 2
    (home / lake.FOLDER / parts(home)[0].file).unlink()
    assert compacted(home, is_rebuilding=True).missing
    assert (rows(home), sums(home), findings(home)) == (before, told, [])


def _in_two(
    connection: duckdb.DuckDBPyConnection, spans: str, _rows_at_most: int
) -> list[tuple[int, int]]:
    ((middle,),) = connection.execute(f"SELECT median(start_ns)::BIGINT FROM ({spans})").fetchall()
    return [(0, middle), (middle + 1, 2**63 - 1)]


def test_a_pruned_file_that_still_lies_there_is_not_read_again(home: Path) -> None:
    fold(home, LARGE, FIRST)
    kept, pruned = parts(home)
    (home / lake.FOLDER / kept.file).unlink()
    with duckdb.connect(str(home / published.NAME)) as connection:
        connection.execute(
            "UPDATE part SET retired_at = TIMESTAMP '1970-01-01' WHERE file = $1", [pruned.file]
        )
    compacted(home, is_rebuilding=True)
    assert rows(home) == []


def test_spans_that_are_there_twice_are_there_once_after_a_rebuild(home: Path) -> None:
    fold(home, FIRST)
    (part,) = parts(home)
    again = home / lake.FOLDER / f"date={lake.date_of(part.file)}" / "1.parquet"
    shutil.copy(home / lake.FOLDER / part.file, again)
    (home / published.NAME).unlink()  # so that both are taken up
    assert compacted(home, is_rebuilding=True).repeats == len(FIRST)
    assert (findings(home), sums(home)["calls"]) == ([], 1)


def _compact(home: Path) -> None:
    compacted(home)


def test_wherever_compaction_dies_every_span_is_there_once(tmp_path: Path, home: Path) -> None:
    fold(home, LARGE, FIRST)
    before = rows(home)
    homes = homes_of_the_dead(tmp_path, _compact)
    assert len(homes) > 5
    for dead in homes:
        assert rows(dead) == before, dead.name
    assert findings(homes[-2]) == []
