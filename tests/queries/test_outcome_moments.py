from pathlib import Path

from tests.builders import asked, chat, fact, loose, spans, task


def test_outcome_moments(home: Path) -> None:
    """Three tasks of one name, of which two were successful, and a call in none.

    Moments are taken per call and then added: 10 * 5 + 20 * 10 = 250, not 30 * 15 = 450.
    """
    done = fact(task_outcome="success")
    records = [
        *spans(
            task("fix", chat(input=10, output=2), done, task_id="a", project="p"),
            task("fix", chat(input=20, output=4), done, task_id="b", project="p"),
            task("fix", chat(input=5), fact(task_outcome="abandoned"), task_id="c", project="p"),
        ),
        *loose(chat(input=1, output=0), trace=2),
    ]
    with asked(home, records, models={"gpt-5": [1.0]}) as connection:
        rows = connection.sql(
            "SELECT * EXCLUDE (region, provider, basis) FROM outcome_moments "
            "ORDER BY outcome NULLS LAST"
        ).fetchall()
    # n_o * (n_c + n_u + n_o / 2): 2 * 11 + 4 * 22 = 110.
    assert rows == [
        ("abandoned", "p", "fix", "gpt-5", 1, 1, 5.0, 5.0, 12.5, 0.0, None, None),
        ("success", "p", "fix", "gpt-5", 2, 0, 30.0, 30.0, 250.0, 0.0, 6.0, 110.0),
        (None, "test", None, "gpt-5", 1, 0, 1.0, 1.0, 0.5, 0.0, 0.0, 0.0),
    ]


def test_a_task_has_one_outcome_for_all_its_models(home: Path) -> None:
    records = spans(
        task("t", chat(input=1), chat(model="o", input=2), fact(task_outcome="failure"))
    )
    with asked(home, records, models={"gpt-5": [1.0], "o": [3.0]}) as connection:
        rows = connection.sql(
            "SELECT outcome, model, energy_wh FROM outcome_moments ORDER BY model"
        ).fetchall()
    assert rows == [("failure", "gpt-5", 1.0), ("failure", "o", 6.0)]
