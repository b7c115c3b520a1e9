from pathlib import Path

from pytest import approx  # noqa: PT013

from tests.builders import asked, chat, spans


def test_human_equivalent(home: Path) -> None:
    """The calls take 100 Wh, or 400 Wh in the second draw; a prompt takes 1 Wh, or 2 Wh.

    That is 100 or 200 prompts: of 10 prompts a day, 10 days, 5 % and 95 % being 10.5, widened to
    the central 10, and 19.5. The second call starts four days after the first. 100 tokens are 10
    prompts of 10 tokens: one day.
    """
    first, second, root = spans(chat(input=60, output=0), chat(input=40, output=0))
    second["start_ns"] = first["start_ns"] + 4 * 86_400 * 10**9
    second["end_ns"] = root["end_ns"] = second["start_ns"] + 1
    models = {"gpt-5": [1.0, 4.0]}
    with asked(home, [first, second, root], models=models) as connection:
        connection.connection.execute(
            "INSERT INTO persona VALUES ('heavy', 'heavy user', 10, 8, 2, 'a study', NULL);"
            "INSERT INTO persona_prompt VALUES ('heavy', 1);"
            "INSERT INTO persona_draw VALUES ('heavy', 0, 1), ('heavy', 1, 2)"
        )
        (row,) = connection.sql("FROM human_equivalent").fetchall()
    assert row == (
        "heavy", "heavy user", 10.0, 8, 2, 1.0, approx(10.0), approx(10.0), approx(19.5),
        approx(1.0), approx(4.0), approx(2.5), approx(2.5), approx(4.875), "a study", None,
    )  # fmt: skip


def test_a_short_run_is_spread_over_a_day(home: Path) -> None:
    with asked(home, spans(chat(input=10, output=0)), models={"gpt-5": [1.0]}) as connection:
        connection.connection.execute(
            "INSERT INTO persona VALUES ('p', 'a person', 5, 1, 1, 'a study', 'https://x');"
            "INSERT INTO persona_prompt VALUES ('p', 1);"
            "INSERT INTO persona_draw VALUES ('p', 0, 1)"
        )
        rows = connection.sql("SELECT days, user_days, users FROM human_equivalent").fetchall()
    assert rows == [(1.0, 2.0, 2.0)]


def test_without_any_usage_the_equivalent_is_unknown_and_not_zero(home: Path) -> None:
    with asked(home, spans(chat()), models={"gpt-5": [1.0]}) as connection:
        connection.connection.execute(
            "INSERT INTO persona VALUES ('p', 'a person', 5, 1, 1, 'a study', NULL);"
            "INSERT INTO persona_prompt VALUES ('p', 1);"
            "INSERT INTO persona_draw VALUES ('p', 0, 1)"
        )
        rows = connection.sql(
            "SELECT user_days, user_days_low, user_days_by_tokens, users FROM human_equivalent"
        ).fetchall()
    assert rows == [(None, None, None, None)]
