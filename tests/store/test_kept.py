"""Stores of earlier versions, as they were written then, read by the code of today."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

import agenttrace
from agenttrace.cli import commands
from agenttrace.store import Store, published
from tests.store.kept.make import make

KEPT = Path(__file__).parent / "kept"
STORES = sorted(KEPT.glob("schema_*/"), key=lambda folder: int(folder.name.partition("_")[2]))
NEWEST = max(int(step.name.partition("_")[0]) for step in published.MIGRATIONS.glob("*.sql"))


@pytest.fixture(params=STORES, ids=lambda folder: folder.name)
def kept(request: pytest.FixtureRequest, home: Path) -> tuple[Path, dict[str, Any]]:
    """A copy of a kept store, and what is known to be in it."""
    shutil.copytree(request.param, home)
    return home, json.loads(request.param.with_suffix(".json").read_text())


def found(home: Path, expected: dict[str, Any]) -> dict[str, Any]:
    """Return what *expected* tells, as it is in *home*."""
    with agenttrace.read(home) as reader:

        def rows(query: str, key: str, like: dict[str, Any]) -> dict[str, Any]:
            return {row[key]: said(row, *like.values()) for row in reader.query(query)}

        (totals,) = reader.query("totals")
        return {
            "spans": len({(row["span_id"], row["start_ns"]) for row in reader.query("span")}),
            "quarantine": sorted(row["reason"] for row in reader.query("quarantine")),
            "lost": sum(row["records"] for row in reader.query("lost")),
            "tasks": rows("task_tokens", "task_id", expected["tasks"]),
            "models": rows("model_tokens", "model", expected["models"]),
            "totals": said(totals, expected["totals"]),
        }


def said(row: dict[str, Any], *likes: Iterable[str]) -> dict[str, Any]:
    return {column: row[column] for column in row if any(column in like for like in likes)}


def schema(home: Path) -> int:
    with duckdb.connect(str(home / published.NAME), read_only=True) as connection:
        (row,) = connection.sql("SELECT value FROM meta WHERE key = 'schema_version'").fetchall()
    return int(row[0])


def test_a_store_made_today_holds_what_the_last_one_kept_does(tmp_path: Path) -> None:
    make(tmp_path / "home")
    expected = json.loads(STORES[-1].with_suffix(".json").read_text())["home"]
    assert found(tmp_path / "home", expected) == expected


def test_a_store_of_every_earlier_schema_is_kept() -> None:
    assert {folder.name for folder in STORES} >= {f"schema_{n}" for n in range(1, NEWEST)}


def test_a_kept_store_has_its_tasks_calls_and_tokens_and_has_them_again(
    kept: tuple[Path, dict[str, Any]],
) -> None:
    home, expected = kept
    assert found(home, expected["home"]) == expected["home"]
    assert found(home, expected["home"]) == expected["home"]


def test_a_kept_store_that_nothing_is_added_to_is_read_as_it_is(
    kept: tuple[Path, dict[str, Any]],
) -> None:
    home, expected = kept
    shutil.rmtree(home / "spool")
    alone = expected["without the spool"]
    assert found(home, alone) == alone


def test_a_fold_brings_a_kept_store_to_the_newest_schema(
    kept: tuple[Path, dict[str, Any]],
) -> None:
    home, expected = kept
    with Store.open(home):
        pass
    assert schema(home) == NEWEST
    assert [path.name for path in (home / "spool").iterdir()] == ["lost"]
    assert found(home, expected["home"]) == expected["home"]


def test_the_lake_of_a_kept_store_that_was_migrated_is_read_with_a_wildcard(
    kept: tuple[Path, dict[str, Any]],
) -> None:
    home, expected = kept
    with Store.open(home):
        pass
    migrated = CliRunner().invoke(commands, ["--store", str(home), "store", "migrate"])
    assert migrated.exit_code == 0
    with duckdb.connect() as connection:
        rows = connection.sql(
            "SELECT count(DISTINCT (span_id, start_ns)) "
            f"FROM read_parquet('{home}/lake/spans/date=*/*.parquet', hive_partitioning = true)"
        ).fetchall()
    assert rows == [(expected["home"]["spans"],)]
