from pathlib import Path

from tests.builders import asked, chat, spans, task


def test_attempt_moments(home: Path) -> None:
    """An attempt that failed in silence, a retry that failed with usage, and one that did not.

    Moments are taken per call and then added: 10 * 5 + 20 * 10 = 250, not 30 * 15 = 450.
    """
    records = spans(
        task(
            "t",
            chat(input=10, output=2),
            chat(input=20, output=4),
            chat(status="error"),
            chat(status="error", role="retry", attempt=2, input=3, output=0),
            chat(role="retry", attempt=3, input=4, output=1, usage="estimated"),
        )
    )
    with asked(home, records, models={"gpt-5": [1.0]}) as connection:
        rows = connection.sql(
            "SELECT * EXCLUDE (region, provider) FROM attempt_moments ORDER BY attempt"
        ).fetchall()
    # n_o * (n_c + n_u + n_o / 2): 2 * 11 + 4 * 22 = 110, and 1 * 4.5.
    basis = ("gpt-5", "estimated")
    assert rows == [
        ("failed", *basis, 2, 1, 0, 3, 3.0, 3.0, 4.5, 0.0, 0.0, 0.0),
        ("first", *basis, 2, 0, 0, 36, 30.0, 30.0, 250.0, 0.0, 6.0, 110.0),
        ("retry", *basis, 1, 0, 1, 5, 4.0, 4.0, 8.0, 0.0, 1.0, 4.5),
    ]


def test_what_no_attempt_reports_is_unknown(home: Path) -> None:
    with asked(home, spans(task("t", chat(status="error"))), models={"gpt-5": [1.0]}) as connection:
        (row,) = connection.rows("attempt_moments")
    known = {name: value for name, value in row.items() if value is not None}
    assert known == {
        "attempt": "failed",
        "provider": "openai",
        "model": "gpt-5",
        "basis": "estimated",
        "calls": 1,
        "calls_unpriced": 1,
        "estimated_calls": 0,
    }


def test_of_an_embedding_that_failed_nothing_is_known(home: Path) -> None:
    """It has no output by nature, which does not make its energy zero."""
    failed = chat(operation="embeddings", status="error")
    with asked(home, spans(task("t", failed)), models={"gpt-5": [1.0]}) as connection:
        rows = connection.sql("SELECT calls, output, energy_wh FROM attempt_moments").fetchall()
    assert rows == [(1, None, None)]
