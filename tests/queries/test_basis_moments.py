from pathlib import Path

from tests.builders import asked, chat, spans, task


def test_basis_moments(home: Path) -> None:
    """20 tokens of which 5 are cached, and 2 written: 15 * (5 + 15 / 2) = 187.5; 2 * 21 = 42.

    A meter saw 7,200 J for 4 of the tokens that are not cached.
    """
    records = spans(task("a", chat(input=20, cache_read=5, output=2), chat()))
    with asked(home, records) as found:
        found.connection.execute(
            "INSERT INTO measured_sum BY NAME SELECT 'a' AS task_id, "
            "TIMESTAMP '2025-10-09 08:00' AS hour, 'openai' AS provider, 'gpt-5' AS model, "
            "'main' AS role, true AS hidden, 'server' AS boundary, 7200 AS measured_j, "
            "4 AS uncached, 60 AS uncached_context_x2, 0 AS cached, 0 AS output, "
            "0 AS output_context_x2"
        )
        rows = found.sql(
            "SELECT basis, sum(uncached), sum(uncached_context), sum(cached), sum(output), "
            "sum(output_context), count(DISTINCT hour) FROM basis_moments GROUP BY basis "
            "ORDER BY basis"
        ).fetchall()
    assert rows == [
        ("estimated", 11.0, 157.5, 5.0, 2.0, 42.0, 1),
        ("server", 7200.0, 0.0, 0.0, 0.0, 0.0, 1),
    ]
