from pathlib import Path

import pytest

from agenttrace import rollup
from tests.builders import asked

QUERIES = rollup.find(rollup.folders())


@pytest.mark.parametrize("name", QUERIES)
def test_its_header_describes_its_columns(home: Path, name: str) -> None:
    with asked(home) as connection:
        columns = connection.sql(f"FROM {name}").columns
    assert [column.name for column in QUERIES[name].columns] == columns
    assert QUERIES[name].doc.startswith("One row")


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - {"totals", "coverage"}))
def test_an_empty_store_has_no_rows(home: Path, name: str) -> None:
    with asked(home) as connection:
        assert connection.sql(f"FROM {name}").fetchall() == []


def test_an_empty_store_has_totals_of_zero_and_of_nothing_known(home: Path) -> None:
    with asked(home) as connection:
        totals = connection.sql("FROM totals")
        (row,) = [dict(zip(totals.columns, row, strict=True)) for row in totals.fetchall()]
    counts = {
        "tasks", "operations", "calls", "hidden_calls", "retry_calls", "failed_calls",
        "calls_unpriced",
    }  # fmt: skip
    assert {name: value for name, value in row.items() if value is not None} == dict.fromkeys(
        counts, 0
    )


def test_an_empty_store_covers_no_records(home: Path) -> None:
    with asked(home) as connection:
        assert connection.sql("FROM coverage ORDER BY ALL").fetchall() == [
            ("record", "kept", 0),
            ("record", "lost", 0),
            ("record", "quarantined", 0),
        ]


@pytest.mark.parametrize("name", QUERIES)
def test_it_has_a_case_worked_out_by_hand(name: str) -> None:
    assert (Path(__file__).parent / f"test_{name}.py").exists()
