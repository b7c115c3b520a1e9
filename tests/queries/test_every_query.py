from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from agenttrace import rollup
from agenttrace.energy import measured
from agenttrace.energy.tables import NONE
from agenttrace.store import rollups
from tests.builders import (
    SECOND_NS,
    START_NS,
    Asked,
    Record,
    agent,
    asked,
    chat,
    fact,
    foreign,
    frame,
    later,
    loose,
    opened,
    spans,
    step,
    task,
    tool,
)

QUERIES = rollup.find(rollup.folders())


def worked_out(asked: Asked) -> Asked:
    """Put the rows of every query into a table, which goes before the view of its name.

    A view is worked out to its roots whenever it is asked.
    """
    definitions = rollup.Definitions(asked.connection, rollup.folders())
    for name in sorted(QUERIES, key=lambda name: len(definitions.below(name))):
        asked.define(name)
        asked.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {name}")
    return asked


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked(tmp_path_factory.mktemp("home"), imported=NONE) as connection:
        yield worked_out(connection)


@pytest.mark.parametrize("name", QUERIES)
def test_its_header_describes_its_columns(nothing: Asked, name: str) -> None:
    columns = nothing.sql(f"FROM {name}").columns
    assert [column.name for column in QUERIES[name].columns] == columns
    assert QUERIES[name].doc.startswith("One row")


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - {"totals", "coverage"}))
def test_an_empty_store_has_no_rows(nothing: Asked, name: str) -> None:
    assert nothing.rows(name) == []


def test_an_empty_store_has_totals_of_zero_and_of_nothing_known(nothing: Asked) -> None:
    (row,) = nothing.rows("totals")
    counts = {
        "tasks", "operations", "calls", "hidden_calls", "retry_calls", "failed_calls",
        "calls_unpriced",
    }  # fmt: skip
    assert {name: value for name, value in row.items() if value is not None} == dict.fromkeys(
        counts, 0
    )


def test_an_empty_store_covers_no_records(nothing: Asked) -> None:
    assert nothing.sql("FROM coverage ORDER BY ALL").fetchall() == [
        ("record", "kept", 0),
        ("record", "lost", 0),
        ("record", "quarantined", 0),
    ]


def a_bit_of_everything() -> list[Record]:
    """Tasks of plain calls, of calls that are judged, of marked ones, and what is no task."""
    other = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 70}
    week = task(
        "week",
        agent(
            "lead",
            chat(input=100, cache_read=60, output=20, reasoning=5, session="s"),
            chat(status="error", outcome="abandoned"),
            tool("search", chat(model="o", input=7, output=1), foreign("httpx", {"a": "b"})),
            agent("sub", chat(input=9, output=3, attempt=2), step("think")),
        ),
        workload="user-facing",
    )
    judged = task(
        "judged",
        frame(chat(input=11, output=4), input=11),
        foreign("openinference", other, chat(input=70, output=8)),
        foreign("openinference", other),
        chat(response_id="r", usage="estimated", input=1),
        chat(operation="fetch_response", response_id="r", input=13, output=5),
        frame(model="o", provider="openai", input=17, output=6),
    )
    marked = task("marked", chat(input=19, output=7, visible=True), chat(visible=True), chat())
    night = task("night", frame(input=23, output=0), chat(input=29, output=9), headless=True)
    call = {"session": "s", "model": "gpt-5", "request_id": "q", "input": 37, "output": 2}
    told = task(
        "told",
        agent("lead", frame(capture="otlp", agent=None, depth=None, role=None, **call)),
        frame(capture="log", **call),
        fact(session="s", capture="result", input=50, output=5),
    )
    interrupted = task("cut off", chat(outcome="interrupted"), outcome="interrupted")
    return [
        *spans(week, judged, marked, night, told, interrupted, task("quiet")),
        *loose(chat(model=None, provider=None, operation="embeddings", input=31), trace=2),
        *later(loose(foreign("flask", {"server.address": "x"}), chat(output=10), trace=3), 90_000),
    ]


PRICES: Any = {
    "models": {"gpt-5": [1.0, 2.0], "o": [1.0, 4.0]},
    "grid": [1000.0, 500.0],
    "imported": NONE,
}
WINDOW = measured.Window(
    START_NS, START_NS + 60 * SECOND_NS, 3600.0, "accelerator", provider="openai"
)
IMPORTED = """
    INSERT INTO grid_hour VALUES ('WOR', '2025-10-09 08:00', 300, NULL, NULL);
    INSERT INTO model_factor BY NAME
    SELECT * REPLACE ('accelerator' AS basis, 2 AS j_uncached) FROM model_factor;
    INSERT INTO model_factor_draw BY NAME
    SELECT * REPLACE ('accelerator' AS basis, 2 AS j_uncached) FROM model_factor_draw;
    INSERT INTO persona VALUES ('p', 'a person', 5, 1, 1, 'a study', NULL);
    INSERT INTO persona_prompt VALUES ('p', 1);
    INSERT INTO persona_draw VALUES ('p', 0, 1), ('p', 1, 2)
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Ask the roll-ups that several folds of it have stored."""
    home, records = tmp_path_factory.mktemp("home"), a_bit_of_everything()
    with opened(home, records[::2]):
        pass
    measured.add(home, [WINDOW])
    with asked(home, records[1::2], **PRICES) as connection:
        connection.connection.execute(IMPORTED)
        yield worked_out(connection)


@pytest.fixture(scope="module")
def defined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Ask what the definitions make of all of it."""
    home = tmp_path_factory.mktemp("home")
    measured.add(home, [WINDOW])
    with asked(home, a_bit_of_everything(), stored=False, **PRICES) as connection:
        connection.connection.execute(IMPORTED)
        yield worked_out(connection)


@pytest.mark.parametrize("name", QUERIES)
def test_stored_rollups_yield_what_the_definitions_do(
    stored: Asked, defined: Asked, name: str
) -> None:
    found = [rows_of_one_key(asked, name) for asked in (stored, defined)]
    assert found[0] == found[1] != []


def rows_of_one_key(asked: Asked, name: str) -> list[str]:
    """Return the rows of a query in order, those of one key added up."""
    columns = [column.name for column in QUERIES[name].columns]
    # A migration adds a column at the end of a stored table.
    rows = f"SELECT {', '.join(columns)} FROM {name}"
    if name in rollups.STORED:
        rows = rollups.merged(asked.connection, name, name)
    if name == "call_rollup":
        first = columns.index("calls")
        sums = [f"sum({column})" for column in columns[first:] if not column.endswith("_at")]
        rows = (
            f"SELECT {', '.join(columns[:first] + sums)} FROM {name} "
            "GROUP BY ALL HAVING sum(calls) <> 0"
        )
    return sorted(repr(tuple(map(_rounded, row))) for row in asked.sql(rows).fetchall())


def _rounded(value: object) -> object:
    # Parts of a call are measured, and sums of parts depend on their order in the last digit.
    if isinstance(value, list):
        return [_rounded(one) for one in cast("list[object]", value)]
    return float(f"{value:.9g}") if isinstance(value, float) else value


@pytest.mark.parametrize("name", QUERIES)
def test_it_has_a_case_worked_out_by_hand(name: str) -> None:
    own = Path(__file__).parent / f"test_{name}.py"
    shared = own.with_name(f"test_{name.partition('_')[0]}.py")
    assert own.exists() or name in shared.read_text()
