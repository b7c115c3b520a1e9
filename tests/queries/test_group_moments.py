from pathlib import Path

from tests.builders import asked, chat, spans, task

SQL = (
    "SELECT task_group.task_id, model, basis, calls, calls_unpriced, measured_tokens, uncached, "
    "uncached_context, cached, output, output_context "
    "FROM group_moments INNER JOIN task_group USING (task_group) ORDER BY ALL"
)


def test_tasks_of_one_group_are_added_up_and_groups_are_not(home: Path) -> None:
    """The ids a and b fall into groups of their own; a has 10 and 20 tokens: 50 + 200 = 250."""
    records = spans(
        task("a", chat(input=10, output=0), chat(input=20, output=0)),
        task("b", chat(input=10, cache_read=10, output=2), chat(model="o")),
    )
    with asked(home, records, models={"gpt-5": [1.0], "o": [1.0]}) as found:
        rows = found.sql(SQL).fetchall()
        hours = found.sql("SELECT DISTINCT hourly, hourly_g FROM group_moments").fetchall()
    assert rows == [
        ("a", "gpt-5", "estimated", 2, 0, 0.0, 30.0, 250.0, 0.0, 0.0, 0.0),
        ("b", "gpt-5", "estimated", 1, 0, 0.0, 0.0, 0.0, 10.0, 2.0, 22.0),
        ("b", "o", "estimated", 1, 1, 0.0, None, None, None, None, None),
    ]
    assert hours == [([0.0] * 5, [0.0] * 5)]


HOURS = """
    INSERT INTO hourly_moments BY NAME
    SELECT task.task_id, 'openai' AS provider, 'gpt-5' AS model, 'main' AS role, true AS hidden,
        'estimated' AS basis, 1 AS uncached, 2 AS uncached_context, 3 AS cached, 4 AS output,
        5 AS output_context, 10 AS uncached_g, 20 AS uncached_context_g, 30 AS cached_g,
        40 AS output_g, 50 AS output_context_g
    FROM (VALUES ('a'), ('b')) AS task (task_id)
"""


def test_known_hours_stay_with_their_group_in_their_order(home: Path) -> None:
    calls = [chat(input=50, cache_read=30, output=20) for _ in "ab"]
    records = spans(task("a", calls[0], headless=True), task("b", calls[1], headless=True))
    with asked(home, records, models={"gpt-5": [1.0]}) as found:
        found.connection.execute(HOURS)
        rows = found.sql("SELECT hourly, hourly_g FROM group_moments").fetchall()
    assert rows == [([1.0, 2.0, 3.0, 4.0, 5.0], [10.0, 20.0, 30.0, 40.0, 50.0])] * 2


MEASURED = """
    INSERT INTO model_factor BY NAME
    SELECT * REPLACE ('accelerator' AS basis, 2 AS j_uncached) FROM model_factor;
    INSERT INTO measured_sum BY NAME
    SELECT 'b' AS task_id, 'openai' AS provider, 'gpt-5' AS model, 'main' AS role, true AS hidden,
        'accelerator' AS boundary, 1 AS calls, 7200 AS measured_j, 0 AS uncached,
        0 AS uncached_context_x2, 10 AS cached, 2 AS output, 44 AS output_context_x2
"""


def test_what_a_meter_saw_stays_with_its_group(home: Path) -> None:
    records = spans(
        task("a", chat(input=10, output=0)), task("b", chat(input=10, cache_read=10, output=2))
    )
    with asked(home, records, models={"gpt-5": [1.0]}) as found:
        found.connection.execute(MEASURED)
        rows = found.sql(SQL).fetchall()
    assert rows == [
        ("a", "gpt-5", "estimated", 1, 0, 0.0, 10.0, 50.0, 0.0, 0.0, 0.0),
        ("b", "gpt-5", "accelerator", 0, 0, 12.0, 7200.0, 0.0, 0.0, 0.0, 0.0),
        ("b", "gpt-5", "estimated", 1, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ]
