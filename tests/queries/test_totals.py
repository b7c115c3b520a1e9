import datetime as dt
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest import TempPathFactory, approx  # noqa: PT013

from tests.builders import Node, Record, asked, chat, foreign, frame, loose, spans, task, tool


def test_totals(home: Path) -> None:
    records = spans(
        task(
            "a",
            frame(
                chat(input=10, output=0, status="error"),
                chat(input=10, output=2, cache_read=4, reasoning=1, attempt=2),
            ),
        ),
        task("b", tool("search", chat(model="o", input=5, output=0)), chat()),
        task("c"),
    )
    unrelated = loose(foreign("flask", {"server.address": "x"}), trace=2)
    models = {"gpt-5": [1.0, 2.0], "o": [1.0, 4.0]}
    with asked(home, records, unrelated, models=models, grid=[1000.0, 500.0]) as connection:
        found = connection.sql("FROM totals")
        (row,) = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    assert row == {
        "tasks": 3,
        "operations": 3,
        "calls": 4,
        "hidden_calls": 2,
        "retry_calls": 1,
        "failed_calls": 1,
        "calls_unpriced": 1,
        "first_started_at": dt.datetime(2025, 10, 9, 8, 53, 23),  # noqa: DTZ001 - as DuckDB
        "last_started_at": dt.datetime(2025, 10, 9, 8, 53, 28),  # noqa: DTZ001 - as DuckDB
        "total_tokens": 27,
        "hidden_tokens": 15,
        "input_tokens": 25,
        "input_uncached_tokens": 21,
        "cache_read_tokens": 4,
        "cache_write_tokens": None,
        "output_tokens": 2,
        "reasoning_tokens": 1,
        # (10 + 6) * 1 + 5 * 1 in the first draw, 16 * 2 + 5 * 4 in the second; the 5 % of
        # that, 22.55, is widened to the central value.
        "energy_wh": 21.0,
        "energy_low_wh": 21.0,
        "energy_high_wh": approx(21.0 + 31.0 * 0.95),
        "hidden_energy_wh": 15.0,
        "carbon_g": 21.0,
        "carbon_low_g": 21.0,
        "carbon_high_g": approx(21.0 + 5.0 * 0.95),
        "water_l": approx(0.042),
        "water_low_l": approx(0.042),
        "water_high_l": approx(0.1009),
    }


counts = st.one_of(st.none(), st.integers(0, 10**6))
calls: st.SearchStrategy[Node] = st.builds(
    lambda model, sent, read, made: chat(model=model, input=sent, cache_read=read, output=made),
    st.sampled_from(["gpt-5", "o"]),
    counts,
    counts,
    counts,
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(calls, max_size=4), min_size=1, max_size=3))
def test_tasks_and_models_add_up_to_the_totals_and_ranges_hold_their_middle(
    tmp_path_factory: TempPathFactory, tasks: list[list[Node]]
) -> None:
    records: list[Record] = spans(*(task(str(n), *calls) for n, calls in enumerate(tasks)))
    models = {"gpt-5": [2.0, 1.0, 4.0], "o": [2.0, 1.0, 3.0]}
    home = tmp_path_factory.mktemp("home")
    with asked(home, records, models=models, grid=[1.0, 1.0, 1.0]) as connection:

        def sums(table: str, *columns: str) -> tuple[object, ...]:
            (row,) = connection.sql(
                f"SELECT {', '.join(f'sum({column})' for column in columns)} FROM {table}"
            ).fetchall()
            return tuple(value or 0 for value in row)

        tokens = ("calls", "hidden_calls", "total_tokens", "input_tokens", "output_tokens")
        energy = ("calls_unpriced", "energy_wh", "carbon_g")
        for table in ("task_tokens", "agent_tokens", "model_tokens", "role_tokens"):
            assert sums(table, *tokens) == sums("totals", *tokens)
        for table in ("task_energy", "model_energy"):
            assert sums(table, *energy) == approx(sums("totals", *energy))
        for table in ("task_energy", "model_energy", "totals"):
            ranges = connection.sql(
                f"SELECT energy_low_wh, energy_wh, energy_high_wh FROM {table} "
                "WHERE energy_wh IS NOT NULL"
            ).fetchall()
            assert [sorted(row) for row in ranges] == [list(row) for row in ranges]
