from pathlib import Path

import pytest

from tests.builders import Asked, agent, asked, chat, spans, task

PRICES: dict[str | None, list[float]] = {"gpt-5": [1.0, 2.0]}
"""Wh per input token that is not from a cache."""

MEASURED = (
    "INSERT INTO measured_sum BY NAME SELECT 'a' AS task_id, TIMESTAMP '2025-10-09 08:00' AS hour, "
    "'openai' AS provider, 'gpt-5' AS model, 'main' AS role, true AS hidden, 'server' AS boundary, "
    "7200 AS measured_j, {uncached} AS uncached, 0 AS uncached_context_x2, 0 AS cached, "
    "0 AS output, 0 AS output_context_x2"
)
SERVER = (
    "INSERT INTO model_factor BY NAME SELECT * REPLACE ('server' AS basis, 2 AS j_uncached) "
    "FROM model_factor"
)


def by_agent(found: Asked) -> list[tuple[object, ...]]:
    """Return agent, hidden, basis, calls, tokens not from a cache, and Wh."""
    return found.sql(
        "SELECT agent, hidden, basis, sum(calls)::INTEGER, sum(uncached), sum(energy_wh) "
        "FROM agent_moments GROUP BY ALL HAVING basis <> 'estimated' OR sum(calls) > 0 "
        "ORDER BY basis, agent, hidden"
    ).fetchall()


def test_agent_moments(home: Path) -> None:
    """1 Wh a token: lead 100 and the answer of 20, sub 50 of which 10 are cached."""
    records = spans(
        task(
            "a",
            agent(
                "lead",
                chat(input=100, output=3),
                agent("sub", chat(input=50, cache_read=10, output=1)),
                chat(input=20, output=2),
            ),
        )
    )
    with asked(home, records, models=PRICES) as found:
        rows = found.sql(
            "SELECT task_id, day::VARCHAR, agent, agent_depth, role, hidden, basis, calls, "
            "total_tokens, total_tokens_calls, uncached, uncached_context, cached, output, "
            "output_context, energy_wh FROM agent_moments ORDER BY energy_wh"
        ).fetchall()
    same = ("a", "2025-10-09")
    assert rows == [
        # 20 * 20 / 2 = 200; 2 * (20 + 2 / 2) = 42
        (*same, "lead", 1, "main", False, "estimated", 1, 22, 1, 20.0, 200.0, 0.0, 2.0, 42.0, 20.0),
        # 40 * (10 + 40 / 2) = 1,200; 1 * (50 + 1 / 2) = 50.5
        (
            *same, "sub", 2, "subagent", True, "estimated",
            1, 51, 1, 40.0, 1200.0, 10.0, 1.0, 50.5, 40.0,
        ),
        # 100 * 100 / 2 = 5,000; 3 * (100 + 3 / 2) = 304.5
        (
            *same, "lead", 1, "main", True, "estimated",
            1, 103, 1, 100.0, 5000.0, 0.0, 3.0, 304.5, 100.0,
        ),
    ]  # fmt: skip


def test_what_a_meter_saw_is_shared_out_by_the_estimate(home: Path) -> None:
    """Of 40 tokens a meter saw 8 and 7,200 J: 30 of them are of one agent, and so 3/4 of it.

    A measured joule counts for 2 here: 7,200 J are 4 Wh, of which 3 are of the first agent.
    """
    records = spans(
        task(
            "a",
            agent("first", chat(input=30, output=0)),
            agent("other", chat(input=10, output=0), chat(input=1, output=0)),
        )
    )
    with asked(home, records, models=PRICES) as found:
        found.connection.execute(SERVER)
        found.connection.execute(MEASURED.format(uncached=8))
        assert by_agent(found) == [
            ("first", True, "estimated", 1, 24.0, pytest.approx(24)),
            ("other", False, "estimated", 1, 1.0, pytest.approx(1)),
            ("other", True, "estimated", 1, 8.0, pytest.approx(8)),
            ("first", True, "server", 0, 5400.0, pytest.approx(3)),
            ("other", True, "server", 0, 1800.0, pytest.approx(1)),
        ]


def test_what_a_meter_saw_of_calls_without_tokens_is_shared_out_by_their_number(
    home: Path,
) -> None:
    records = spans(
        task(
            "a",
            agent("first", chat(), chat(), chat()),
            agent("other", chat(), chat(input=1, output=0)),
        )
    )
    with asked(home, records, models=PRICES) as found:
        found.connection.execute(SERVER)
        found.connection.execute(MEASURED.format(uncached=0))
        measured = [row for row in by_agent(found) if row[2] == "server"]
    assert measured == [
        ("first", True, "server", 0, 5400.0, pytest.approx(3)),
        ("other", True, "server", 0, 1800.0, pytest.approx(1)),
    ]


def test_what_a_meter_saw_of_one_role_leaves_the_others_of_its_agent_as_they_were(
    home: Path,
) -> None:
    """Every part of the two agents leaves the estimate by 30 : 10; a title is no part of it."""
    records = spans(
        task(
            "a",
            agent("first", chat(input=30, cache_read=15, output=3)),
            agent("other", chat(input=10, cache_read=5, output=1), chat(role="title", input=4)),
            chat(input=1, output=0),
        )
    )
    measured = MEASURED.replace("0 AS cached", "4 AS cached").replace(
        "0 AS output,", "4 AS output,"
    )
    with asked(home, records, models=PRICES) as found:
        found.connection.execute(SERVER)
        found.connection.execute(measured.format(uncached=8))
        rows = found.sql(
            "SELECT agent, role, sum(uncached), sum(cached), sum(output) FROM agent_moments "
            "WHERE basis = 'estimated' AND agent IS NOT NULL GROUP BY agent, role ORDER BY ALL"
        ).fetchall()
    assert rows == [
        ("first", "main", 15 - 6, 15 - 3, 3 - 3),
        ("other", "main", 5 - 2, 5 - 1, 1 - 1),
        ("other", "title", 4, 0, None),
    ]


def test_its_energy_is_that_of_the_tasks(home: Path) -> None:
    records = spans(
        task("a", agent("first", chat(input=30, output=1)), agent("other", chat(input=10))),
        task("b", chat(input=5, output=0)),
    )
    with asked(home, records, models=PRICES) as found:
        found.connection.execute(SERVER)
        found.connection.execute(MEASURED.format(uncached=8))
        ((by_agents,),) = found.sql("SELECT sum(energy_wh) FROM agent_moments").fetchall()
        ((by_tasks,),) = found.sql("SELECT sum(energy_wh) FROM task_moments").fetchall()
    assert by_agents == pytest.approx(by_tasks)
