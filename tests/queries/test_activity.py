"""What a month is made of, worked out by hand: 1 Wh an uncached input token, 1,000 g and 2 l a kWh.

The calls of a test are of 2025-10-09, 08:53 UTC and the seconds after it.
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import Asked, Node, asked, chat, later, loose, spans, task

DAYS_23_S = 23 * 86_400
MODELS: Any = {"gpt-5": [1.0, 2.0], "o": [1.0, 4.0]}


def of(found: Asked, query: str, *columns: str) -> list[tuple[Any, ...]]:
    return found.sql(f"SELECT {', '.join(columns)} FROM {query} ORDER BY ALL").fetchall()


def test_activity(home: Path) -> None:
    """Of 100 input tokens 60 are cached: 40 cost 40 Wh, and 40 g, and 0.08 l.

    The draws are 40 and 80 Wh; their 5 % and 95 % are 42 and 78, widened to hold 40.
    """
    records = spans(
        task("a", chat(input=100, cache_read=60, cache_write=30, output=20, reasoning=5))
    )
    with asked(home, records, models=MODELS) as found:
        rows = found.rows("activity")
    names = (
        "kind",
        "calls",
        "tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "energy_wh",
        "carbon_g",
        "water_l",
    )
    assert sorted(tuple(row[name] for name in names) for row in rows) == [
        ("cache_read", 1, 60, None, None, 0.0, 0.0, 0.0),
        ("input_uncached", 1, 40, 30, None, 40.0, 40.0, 0.08),
        ("output", 1, 20, None, 5, 0.0, 0.0, 0.0),
    ]
    (row,) = (row for row in rows if row["kind"] == "input_uncached")
    assert (row["energy_low_wh"], row["energy_high_wh"]) == (40.0, pytest.approx(78))
    said = {"month": "2025-10", "workload": "agentic", "provider": "openai", "model": "gpt-5"}
    assert {name: row[name] for name in said} == said
    assert (row["region"], row["zone"], row["resolution"]) == (None, "WOR", "annual")
    assert (row["method"], row["boundary"], row["factor_version"]) == (
        "estimate",
        "facility",
        "test",
    )
    text = "\x1f".join(["2025-10", "agentic", "openai", "gpt-5", "\x1e", "input_uncached"])
    assert row["row_id"] == "r" + hashlib.sha256(text.encode()).hexdigest()[:12]


def test_no_call_vanishes_whose_usage_is_missing(home: Path) -> None:
    records = spans(task("a", chat(), chat(output=7), chat(input=5, output=1)))
    with asked(home, records, models=MODELS) as found:
        rows = of(found, "activity", "kind", "calls", "tokens", "energy_wh", "method")
    assert rows == [
        ("input_uncached", 1, 5, 5.0, "estimate"),
        ("output", 2, 8, 0.0, "estimate"),
        ("unreported", 2, None, None, "none"),
    ]


def test_shares_are_of_the_calls_of_the_row(home: Path) -> None:
    """Of three calls one is estimated, and another was left before its end."""
    records = spans(
        task(
            "a",
            chat(input=1, output=1, usage="estimated"),
            chat(input=1, output=1, outcome="abandoned"),
            chat(input=1, output=1, outcome="complete"),
        )
    )
    with asked(home, records, models=MODELS) as found:
        rows = of(found, "activity", "kind", "share_estimated", "share_incomplete")
    third = pytest.approx(1 / 3)
    assert rows == [("input_uncached", third, third), ("output", third, third)]


def test_an_execution_is_incomplete_as_far_as_a_side_is_missing_or_the_end(home: Path) -> None:
    """Of four calls one says nothing, one says half, one was left, and one is whole."""
    left = chat(input=1, output=1, outcome="abandoned")
    records = spans(
        task("a", chat(), chat(input=1, usage="partial"), left, chat(input=1, output=1))
    )
    with asked(home, records, models=MODELS) as found:
        rows = of(found, "activity_workflow", "calls", "calls_unreported", "share_incomplete")
        kinds = of(found, "activity", "kind", "calls", "share_incomplete")
    assert rows == [(4, 2, 0.75)]
    assert kinds == [
        ("input_uncached", 3, pytest.approx(2 / 3)),
        ("output", 2, 0.5),
        ("unreported", 2, 1.0),
    ]


def test_months_and_workloads_are_rows_of_their_own(home: Path) -> None:
    said: Any = {"input": 1, "output": 0}
    september = spans(task("a", chat(**said)), task("b", chat(**said), workload="user-facing"))
    november = later(spans(task("c", chat(**said)), trace=2), DAYS_23_S)
    with asked(home, [*september, *november], models=MODELS) as found:
        rows = of(found, "activity", "month", "workload", "tokens")
    assert rows == [
        ("2025-10", "agentic", 0), ("2025-10", "agentic", 1),
        ("2025-10", "user-facing", 0), ("2025-10", "user-facing", 1),
        ("2025-11", "agentic", 0), ("2025-11", "agentic", 1),
    ]  # fmt: skip


HOUR = "INSERT INTO grid_hour VALUES ('SE', '2025-10-09 08:00', 50, NULL, NULL)"


def test_an_hour_that_is_known_goes_before_the_year(home: Path) -> None:
    """Of 10 Wh, 4 fell into an hour of 50 g/kWh, and 6 into a year of 1,000: 0.2 + 6 g."""
    first = spans(task("a", chat(input=4, output=0, region="eu-north-1")))
    second = later(spans(task("b", chat(input=6, output=0, region="eu-north-1")), trace=2), 3600)
    with asked(home, [*first, *second], models=MODELS) as found:
        found.connection.execute(HOUR)
        columns = ("energy_wh", "carbon_g", "zone", "resolution", "share_hourly")
        rows = of(found, "activity", "kind", *columns)
    assert rows == [
        ("input_uncached", 10.0, pytest.approx(6.2), "SE", "annual", pytest.approx(0.4)),
        ("output", 0.0, 0.0, "SE", "annual", None),
    ]


# A meter at the facility saw half of the call: 3 Wh, where 4 of its 8 Wh were estimated; and all of
# a call that says nothing of its usage: 5 Wh.
METERED = """
    INSERT INTO model_factor BY NAME
    SELECT * REPLACE ('facility' AS basis, 1 AS j_uncached) FROM model_factor;
    INSERT INTO model_factor_draw BY NAME
    SELECT * REPLACE ('facility' AS basis, 1 AS j_uncached) FROM model_factor_draw;
    INSERT INTO measured_call BY NAME
    SELECT call_id, task_id, provider, model, region, started_at, 'facility' AS boundary,
        0.5 AS covered, 3 AS measured_wh,
        uncached / 2 AS uncached, uncached_context AS uncached_context_x2,
        cached / 2 AS cached, output / 2 AS output, output_context AS output_context_x2
    FROM call_energy
    WHERE input_tokens IS NOT NULL;
    INSERT INTO measured_call BY NAME
    SELECT call_id, task_id, provider, model, region, started_at, 'facility' AS boundary,
        1 AS covered, 5 AS measured_wh, output, 2 * output_context AS output_context_x2
    FROM call_energy
    WHERE input_tokens IS NULL
"""


def metered(found: Asked) -> Asked:
    found.define("call_energy")
    found.connection.execute(METERED)
    return found


def test_what_a_meter_saw_stands_in_place_of_that_part_of_the_estimate(home: Path) -> None:
    """8 Wh less 4 Wh, and 3 Wh: 7 Wh. What is said of no kind of token is unreported: 5 Wh."""
    records = spans(task("a", chat(input=8, output=2), chat()))
    with asked(home, records, models=MODELS) as found:
        rows = of(
            metered(found), "activity", "kind", "tokens", "energy_wh", "method", "share_measured"
        )
    assert rows == [
        ("input_uncached", 8, pytest.approx(7), "estimate and meter", pytest.approx(3 / 7)),
        ("output", 2, 0.0, "estimate", None),
        ("unreported", None, pytest.approx(5), "meter", 1.0),
    ]


def test_activity_moments(home: Path) -> None:
    """Moments are taken per call and then added: 10 * 5 + 20 * 10 = 250, not 30 * 15 = 450."""
    records = spans(task("a", chat(input=10, output=2), chat(input=20, output=4), project="shop"))
    with asked(home, records, models=MODELS) as found:
        rows = of(
            found, "activity_moments", "project", "kind", "basis", "calls", "linear", "context"
        )
    # n_o * (n_c + n_u + n_o / 2): 2 * 11 + 4 * 22 = 110.
    assert rows == [
        ("shop", "input_uncached", "estimated", 2, 30.0, 250.0),
        ("shop", "output", "estimated", 2, 6.0, 110.0),
    ]


def test_activity_draw(home: Path) -> None:
    """10 tokens are 10 Wh centrally, and 10 or 20 Wh in the draws; a draw has its own grid."""
    records = spans(task("a", chat(input=10, output=0)))
    with asked(home, records, models=MODELS, grid=(1000.0, 500.0)) as found:
        rows = found.sql(
            "SELECT draw, energy_wh, measured_wh, carbon_g, water_l FROM activity_draw "
            "WHERE kind = 'input_uncached' ORDER BY draw NULLS FIRST"
        ).fetchall()
    assert rows == [
        (None, 10.0, 0.0, 10.0, 0.02),
        (0, 10.0, 0.0, 10.0, 0.02),
        (1, 20.0, 0.0, 10.0, 0.04),
    ]


def test_activity_workflow(home: Path) -> None:
    """Two tasks of a project are two executions, and a call outside of any task is a third."""
    inside = spans(
        task("a", chat(input=10, output=2), chat(input=5), project="shop"),
        task("b", chat(model="o", input=1, output=1), project="shop"),
        task("none", project="shop"),
    )
    with asked(home, [*inside, *loose(chat(input=4, output=0), trace=2)], models=MODELS) as found:
        columns = ("project", "tasks", "calls", "calls_unreported", "tokens", "energy_wh")
        rows = of(found, "activity_workflow", *columns)
        ranges = of(found, "activity_workflow", "energy_wh", "energy_low_wh", "energy_high_wh")
    assert rows == [("shop", 2, 3, 1, 19, 16.0), ("test", 1, 1, 0, 4, 4.0)]
    # Draws are added first: 15 + 1 and 30 + 4.
    assert ranges == [(4.0, 4.0, pytest.approx(7.8)), (16.0, 16.0, pytest.approx(33.1))]


def test_activity_call(home: Path) -> None:
    records = spans(task("a", chat(input=8, cache_read=3, output=2), chat(output=1)))
    with asked(home, records, models=MODELS) as found:
        rows = of(found, "activity_call", "kind", "task_id", "usage", "tokens", "energy_wh")
    assert rows == [
        ("cache_read", "a", "reported", 3, 0.0),
        ("input_uncached", "a", "reported", 5, 5.0),
        ("output", "a", "missing", 1, 0.0),
        ("output", "a", "reported", 2, 0.0),
        ("unreported", "a", "missing", None, None),
    ]


SUMS = """
    SELECT row_id, sum(tokens)::BIGINT AS tokens, round(coalesce(sum(energy_wh), -1), 9) AS wh
    FROM {} GROUP BY row_id ORDER BY row_id
"""


def test_the_calls_of_a_row_add_up_to_it(home: Path) -> None:
    records = spans(
        task("a", chat(input=8, output=2), chat(), chat(input=20, cache_read=7, output=1)),
        task("b", chat(model="o", output=3), chat(operation="embeddings", input=9)),
    )
    with asked(home, records, models=MODELS) as found:
        metered(found)
        of_calls = found.sql(SUMS.format("activity_call")).fetchall()
        assert of_calls == found.sql(SUMS.format("activity")).fetchall() != []


# Every product of the formula costs something, each of them something else.
DEAR = """
    UPDATE model_factor SET j_uncached_context = 7, j_cached = 360, j_output = 5400,
        j_output_context = 11
"""
COUNT = st.one_of(st.none(), st.integers(0, 2000))


@st.composite
def calls(draw: st.DrawFn) -> Node:
    """A call with any usage, of any state, with or without a cache."""
    sent, received = draw(COUNT), draw(COUNT)
    said: dict[str, Any] = {"model": draw(st.sampled_from(["gpt-5", "o"]))}
    said["region"] = draw(st.sampled_from([None, "eu-north-1"]))
    said["usage"] = draw(st.sampled_from(["reported", "estimated", "partial"]))
    if sent is not None:
        said["input"] = sent
        said["cache_read"] = draw(st.one_of(st.none(), st.integers(0, sent)))
    if received is not None:
        said["output"] = received
    return chat(**said)


@settings(max_examples=6, deadline=None)
@given(st.lists(calls(), min_size=1, max_size=6), st.booleans())
def test_rows_add_up_to_the_totals_and_calls_to_the_rows(nodes: list[Node], is_metered: bool):
    with (
        tempfile.TemporaryDirectory() as folder,
        asked(Path(folder) / "home", spans(task("a", *nodes)), models=MODELS) as found,
    ):
        found.connection.execute(DEAR)
        if is_metered:
            metered(found)
        ((tokens, energy_wh),) = found.sql(
            "SELECT sum(tokens), coalesce(sum(energy_wh), 0) FROM activity"
        ).fetchall()
        ((total_tokens, calls_unpriced),) = found.sql(
            "SELECT total_tokens, calls_unpriced FROM totals"
        ).fetchall()
        of_calls = found.sql("SELECT coalesce(sum(energy_wh), 0) FROM call_energy").fetchall()
        unreported = found.sql(
            "SELECT coalesce(sum(calls), 0) FROM activity WHERE kind = 'unreported'"
        ).fetchall()
        rows = [found.sql(SUMS.format(name)).fetchall() for name in ("activity", "activity_call")]
    assert tokens == total_tokens
    assert energy_wh == pytest.approx(of_calls[0][0], rel=1e-9)
    assert unreported == [(calls_unpriced,)]
    assert [row[:2] for row in rows[0]] == [row[:2] for row in rows[1]]
    assert [row[2] for row in rows[0]] == pytest.approx([row[2] for row in rows[1]], rel=1e-6)
