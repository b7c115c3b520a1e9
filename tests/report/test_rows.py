import csv
import datetime as dt
import decimal
import io
import json
import uuid
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.reader import Table
from agenttrace.report import rows

cells = st.none() | st.integers() | st.text() | st.booleans()
tables = st.lists(st.tuples(cells, cells), max_size=5).map(lambda found: Table(("a", "b"), found))


@given(tables)
def test_json_has_each_row_by_column(table: Table):
    assert json.loads(rows.to_json(table)) == [{"a": a, "b": b} for a, b in table.rows]


@given(tables)
def test_csv_comes_back_as_it_went(table: Table):
    def field(value: Any) -> str:
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    read = list(csv.reader(io.StringIO(rows.to_csv(table), newline="")))
    assert read == [["a", "b"], *([field(a), field(b)] for a, b in table.rows)]


@given(tables, st.integers(min_value=10, max_value=80))
def test_text_is_as_many_lines_as_it_should_be(table: Table, width: int):
    lines = rows.to_text(table, width).split("\n")
    assert len(lines) in (len(table.rows) + 2, max(1, 3 * len(table.rows)))


def test_numbers_stand_to_the_right_and_null_is_said():
    table = Table(("task", "calls"), [("one", 12), ("three", None)])
    assert rows.to_text(table, 80).splitlines() == [
        "task   calls",
        "-----  -----",
        "one       12",
        "three   NULL",
    ]


def test_rows_that_do_not_fit_stand_below_one_another():
    table = Table(("task_id", "n"), [("0af7651916cd43dd", 1)])
    assert rows.to_text(table, 10).splitlines() == [
        "-- row 1",
        "task_id  0af7651916cd43dd",
        "n        1",
    ]


def test_no_rows_are_their_columns():
    assert rows.to_text(Table(("a", "b"), []), 80).splitlines() == ["a  b", "-  -"]
    assert rows.to_csv(Table(("a", "b"), [])) == "a,b"
    assert rows.to_json(Table(("a", "b"), [])) == "[]"


def test_columns_that_share_a_name_are_all_there():
    table = Table(("a", "a", "A", "a_1"), [(1, 2, 3, 4)])
    assert json.loads(rows.to_json(table)) == [{"a": 1, "a_1": 2, "A_2": 3, "a_1_1": 4}]
    assert rows.to_csv(table) == "a,a_1,A_2,a_1_1\n1,2,3,4"
    assert rows.to_text(table, 80).splitlines()[0] == "a  a_1  A_2  a_1_1"


@given(st.lists(st.sampled_from(["a", "A", "a_1", "b", "a_1_1"]), min_size=1))
def test_columns_are_named_as_duckdb_names_those_of_a_table(columns: list[str]):
    asked = ", ".join(f'1 AS "{column}"' for column in columns)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE made AS SELECT {asked}")
        described = connection.sql("DESCRIBE made").fetchall()
    assert rows.distinct(columns) == [row[0] for row in described]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (decimal.Decimal("1.5"), 1.5),
        (dt.datetime(2026, 11, 22, 10), "2026-11-22T10:00:00"),  # noqa: DTZ001 - DuckDB's are UTC
        (dt.timedelta(seconds=90), "0:01:30"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "00ff"),
        (
            {"low": decimal.Decimal(1), "at": [dt.date(2026, 1, 2)]},
            {"low": 1, "at": ["2026-01-02"]},
        ),
    ],
)
def test_every_value_of_duckdb_can_be_said(value: object, said: object):
    assert rows.plain(value) == said


def test_text_from_the_data_cannot_steer_the_terminal():
    assert "\x1b" not in rows.to_text(Table(("name",), [("\x1b[2Jgone",)]), 80)
