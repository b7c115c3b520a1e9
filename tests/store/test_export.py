import json
import stat
from pathlib import Path
from typing import Any

import duckdb
import pytest

import agenttrace
from agenttrace.errors import StoreError
from agenttrace.store.export import Exported, export
from tests.builders import agent, chat, frame, spans, task, write
from tests.store.dying import on_day

CALLS = spans(task("job", agent("a", frame(chat(input=2, output=1), input=1, output=1))), trace=1)


@pytest.fixture
def recorded(home: Path) -> Path:
    write(home, CALLS)
    write(home, on_day(spans(task("later", chat(input=3, output=1)), trace=2), 1))
    return home


def exported(home: Path, target: Path, *, overwrite: bool = False, day: bool = True) -> Exported:
    with agenttrace.read(home) as reader:
        reader.define("model_call")
        return export(
            reader.connection,
            "model_call",
            target,
            comments={one.name: one.doc for one in reader.queries["model_call"].columns},
            day="started_at::DATE" if day else None,
            overwrite=overwrite,
        )


def read(sql: str) -> list[tuple[Any, ...]]:
    return duckdb.sql(sql).fetchall()


def test_calls_lie_in_folders_of_days_and_count_once(recorded: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    done = exported(recorded, target)
    assert (done.rows, done.files) == (2, 2)
    assert sorted(path.name for path in target.iterdir()) == ["date=2025-10-09", "date=2025-10-10"]
    assert read(
        "SELECT date::VARCHAR, task_id, total_tokens, hidden "
        f"FROM read_parquet('{target}/*/*.parquet') ORDER BY date"
    ) == [("2025-10-09", "job", 3, False), ("2025-10-10", "later", 4, False)]


def test_nobody_else_may_read_it(recorded: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    exported(recorded, target)
    modes = {
        path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in [target, *target.rglob("*")]
    }
    assert modes == {True: 0o700, False: 0o600}


def test_types_are_portable_and_units_are_in_the_metadata(recorded: Path, tmp_path: Path) -> None:
    target = tmp_path / "calls.parquet"
    exported(recorded, target, day=False)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    types = {kind for _, kind, *_ in read(f"DESCRIBE FROM '{target}'")}
    assert types <= {"BIGINT", "INTEGER", "DOUBLE", "VARCHAR", "BOOLEAN", "TIMESTAMP"}
    facts = dict(read(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{target}')"))
    comments = json.loads(facts["agenttrace_columns"])
    assert comments["duration_ms"].startswith("milliseconds")
    assert set(comments) == {name for name, *_ in read(f"DESCRIBE FROM '{target}'")}


def test_wide_integers_become_narrow_ones(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 1::HUGEINT AS a, 2::UBIGINT AS b, 0.5 AS c")
        export(connection, "t", tmp_path / "t.parquet", comments={})
    described = read(f"DESCRIBE FROM '{tmp_path / 't.parquet'}'")
    assert [kind for _, kind, *_ in described] == ["BIGINT", "BIGINT", "DOUBLE"]


def test_what_is_there_is_left_alone_unless_it_is_an_export(recorded: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    exported(recorded, target)
    with pytest.raises(
        StoreError, match=r"is not empty\. Name another folder, or give --overwrite"
    ):
        exported(recorded, target)
    write(recorded, on_day(spans(task("third", chat(input=3)), trace=3), 2))
    assert exported(recorded, target, overwrite=True).files == 3
    (target / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"notes.txt is from no export, so .* is left as it is"):
        exported(recorded, target, overwrite=True)
    with pytest.raises(StoreError, match="is a folder, and a file is to be written"):
        exported(recorded, target, day=False)
    with pytest.raises(StoreError, match=r"nowhere is no folder\. Make it first\."):
        exported(recorded, tmp_path / "nowhere" / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "out"]


def test_nothing_recorded_is_an_empty_folder(home: Path, tmp_path: Path) -> None:
    assert exported(home, tmp_path / "out") == Exported(0, 0, 0)
    assert list((tmp_path / "out").iterdir()) == []
