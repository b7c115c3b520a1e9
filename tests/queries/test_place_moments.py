from pathlib import Path

from tests.builders import asked, chat, spans, task

COLUMNS = (
    "SELECT model, region, basis, calls, calls_unpriced, measured_tokens, uncached, "
    "uncached_context, cached, output, output_context FROM place_moments ORDER BY ALL"
)


def test_roles_and_hidden_calls_are_added_up_and_places_are_not(home: Path) -> None:
    """10 tokens twice in one place, 10 * 5 * 2 = 100; 20 in another, 20 * 10; one says nothing."""
    records = spans(
        task("a", chat(input=10, output=0), chat(input=20, output=0, region="eu-north-1")),
        task("b", chat(input=10, output=2, role="title"), chat(model="o")),
    )
    with asked(home, records, models={"gpt-5": [1.0], "o": [1.0]}) as found:
        rows = found.sql(COLUMNS).fetchall()
    # n_o * (n_c + n_u + n_o / 2) = 2 * 11 = 22.
    assert rows == [
        ("gpt-5", "eu-north-1", "estimated", 1, 0, 0.0, 20.0, 200.0, 0.0, 0.0, 0.0),
        ("gpt-5", None, "estimated", 2, 0, 0.0, 20.0, 100.0, 0.0, 2.0, 22.0),
        ("o", None, "estimated", 1, 1, 0.0, None, None, None, None, None),
    ]


HOURS = """
    INSERT INTO hourly_moments BY NAME
    SELECT 'a' AS task_id, 'openai' AS provider, 'gpt-5' AS model, role, true AS hidden,
        'estimated' AS basis, 4 AS uncached, 200 AS uncached_g,
        1 AS uncached_context, 0 AS cached, 0 AS output, 0 AS output_context,
        50 AS uncached_context_g, 0 AS cached_g, 0 AS output_g, 0 AS output_context_g
    FROM (VALUES ('main'), ('title')) AS two (role)
"""


def test_known_hours_are_added_up_by_what_they_cost(home: Path) -> None:
    calls = chat(input=10, output=0), chat(input=10, output=0, role="title")
    with asked(home, spans(task("a", *calls, headless=True)), models={"gpt-5": [1.0]}) as found:
        found.connection.execute(HOURS)
        rows = found.sql("SELECT hourly, hourly_g FROM place_moments").fetchall()
    assert rows == [([8.0, 2.0, 0.0, 0.0, 0.0], [400.0, 100.0, 0.0, 0.0, 0.0])]


MEASURED = """
    INSERT INTO model_factor BY NAME
    SELECT * REPLACE ('accelerator' AS basis, 2 AS j_uncached) FROM model_factor;
    INSERT INTO measured_sum BY NAME
    SELECT 'a' AS task_id, 'openai' AS provider, 'gpt-5' AS model, 'main' AS role, true AS hidden,
        'accelerator' AS boundary, 1 AS calls, 7200 AS measured_j, 10 AS uncached,
        100 AS uncached_context_x2, 3 AS cached, 2 AS output, 44 AS output_context_x2
"""


def test_what_a_meter_saw_has_the_tokens_that_it_stands_for(home: Path) -> None:
    """10 + 3 + 2 = 15 tokens leave the estimate, and stand beside it with 7,200 J."""
    records = spans(task("a", chat(input=13, cache_read=3, output=2), chat(input=20, output=4)))
    with asked(home, records, models={"gpt-5": [1.0]}) as found:
        found.connection.execute(MEASURED)
        rows = found.sql(
            "SELECT basis, sum(calls), sum(measured_tokens), sum(uncached), sum(cached), "
            "sum(output) FROM place_moments GROUP BY basis ORDER BY basis"
        ).fetchall()
    assert rows == [
        ("accelerator", 0, 15.0, 7200.0, 0.0, 0.0),
        ("estimated", 2, 0.0, 20.0, 0.0, 4.0),
    ]
