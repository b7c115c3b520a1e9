"""The lake as others read it, without agenttrace."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

import agenttrace
from agenttrace.store import Store, columns, published, schema
from tests.builders import SECOND_NS, Record, agent, chat, spans, task, tool, write

GUIDE = Path(__file__).parents[2] / "docs" / "schema.md"
DAY_NS = 24 * 3600 * SECOND_NS
LAKE = "lake/spans/date=*/*.parquet"
TOKENS = ["input_tokens", "cache_read_tokens", "output_tokens", "reasoning_tokens"]

# The physical types, and what a column of them is, of everything that our readers have in common.
PORTABLE = {
    ("BOOLEAN", None),
    ("INT32", "INT_32"),
    ("INT64", "INT_64"),
    ("DOUBLE", None),
    ("BYTE_ARRAY", "UTF8"),
}


def later(records: list[Record], days: int) -> list[Record]:
    moved = {"start_ns": days * DAY_NS, "end_ns": days * DAY_NS}
    return [record | {key: record[key] + moved[key] for key in moved} for record in records]


@pytest.fixture
def folded(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three calls of two models on two days, folded; the working folder is their home."""
    first = spans(task("first", agent("a", chat(input=1000, cache_read=400, output=100))))
    small = chat(input=30, output=3, reasoning=2, model="gpt-5-mini")
    second = spans(task("second", chat(input=200, output=20), tool("search", small)), trace=2)
    write(home, [*first, *later(second, days=1)])
    with Store.open(home):
        pass
    monkeypatch.chdir(home)
    return home


def by_model(home: Path) -> list[tuple[Any, ...]]:
    """Return what agenttrace says: model, then the sums of TOKENS."""
    with agenttrace.read(home) as reader:
        found = reader.query("SELECT * FROM model_tokens ORDER BY model")
    return [(row["model"], *(row[name] for name in TOKENS)) for row in found]


def test_the_figures_by_hand(folded: Path) -> None:
    assert by_model(folded) == [
        ("gpt-5", 1200, 400, 120, None),
        ("gpt-5-mini", 30, None, 3, 2),
    ]


def test_plain_duckdb_has_the_sums_of_agenttrace(folded: Path) -> None:
    sums = ", ".join(f"sum({name})" for name in TOKENS)
    with duckdb.connect() as connection:
        found = connection.sql(
            f"SELECT response_model, {sums} FROM read_parquet('{LAKE}', hive_partitioning = true) "
            "WHERE counted GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert found == by_model(folded)


def test_polars_has_the_sums_of_agenttrace(folded: Path) -> None:
    polars = pytest.importorskip("polars")
    lake = polars.scan_parquet(LAKE, hive_partitioning=True).filter("counted")
    # The sum of nothing is 0 in polars and NULL in SQL.
    sums = [
        polars.when(polars.col(name).count() > 0).then(polars.col(name).sum()).alias(name)
        for name in TOKENS
    ]
    found = lake.group_by("response_model").agg(sums).sort("response_model").collect()
    assert found.rows() == by_model(folded)


def test_a_file_lies_under_the_utc_day_on_which_its_spans_began(folded: Path) -> None:
    with duckdb.connect() as connection:
        found = connection.sql(
            "SELECT date::VARCHAR, make_timestamp(start_ns // 1000)::DATE::VARCHAR, count(*) "
            f"FROM read_parquet('{LAKE}', hive_partitioning = true) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert found == [("2025-10-09", "2025-10-09", 3), ("2025-10-10", "2025-10-10", 4)]


def test_the_types_in_the_lake_are_signed_flat_and_known_to_every_reader(folded: Path) -> None:
    with duckdb.connect() as connection:
        rows = connection.sql(
            f"SELECT name, type, converted_type, num_children FROM parquet_schema('{LAKE}')"
        ).fetchall()
    leaves = [row for row in rows if row[0] != "duckdb_schema"]
    assert {(kind, said) for _, kind, said, _ in leaves} - PORTABLE == set()
    assert [name for name, _, _, children in leaves if children] == []
    assert {name for name, *_ in leaves} == {column.name for column in columns.FILED}


def test_a_file_says_what_its_columns_are_and_of_which_schema_it_is(folded: Path) -> None:
    with duckdb.connect() as connection:
        said: dict[str, str] = dict(
            connection.sql(
                f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{LAKE}')"
            ).fetchall()
        )
    assert json.loads(said["agenttrace_columns"]) == {
        column.name: column.comment for column in columns.FILED
    }
    assert int(said["agenttrace_schema"]) == schema.migrations()[-1].version


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)


@pytest.mark.parametrize("example", examples("python"), ids=lambda text: text.split("\n", 1)[0])
def test_an_example_of_the_guide_prints_the_sums(
    folded: Path, example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for needed in ("polars", "pyspark", "chdb"):
        if f"import {needed}" in example or f"from {needed}" in example:
            pytest.importorskip(needed)
    exec(example, {})
    printed = capsys.readouterr().out
    assert [re.search(rf"\b{number}\b", printed) is not None for number in (1200, 120)] == [
        True,
        True,
    ]


def test_the_newest_schema_is_that_of_the_last_migration(folded: Path) -> None:
    with duckdb.connect(str(folded / published.NAME), read_only=True) as connection:
        facts = dict(connection.sql("FROM meta").fetchall())
        names = [row[0] for row in connection.sql("SHOW TABLES").fetchall()]
    assert int(facts["schema_version"]) == schema.migrations()[-1].version
    assert names == [table.name for table in schema.tables()]
