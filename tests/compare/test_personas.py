from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from agenttrace import compare, energy
from agenttrace.compare import personas as module
from agenttrace.energy import draws
from agenttrace.energy.estimate import energy_j, quantile
from agenttrace.errors import FactorError
from agenttrace.model import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIPPED = Path(module.__file__).with_name("personas.toml")
FACTORS = energy.shipped()


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def test_personas_are_rows_with_their_source_or_their_assumption(
    connection: duckdb.DuckDBPyConnection,
):
    compare.define(connection)
    assert connection.execute(
        "SELECT id, prompts_per_day, input_tokens, output_tokens, class, title, year, url, mark "
        "FROM persona"
    ).fetchall() == [
        (
            "average",
            3.67,
            500,
            300,
            "large",
            "How People Use ChatGPT (NBER working paper 34255)",
            2025,
            "https://doi.org/10.3386/w34255",
            "derived",
        ),
        (
            "heavy",
            100,
            500,
            300,
            "large",
            "Assumption: heavy user, 100 prompts a day",
            None,
            None,
            "assumption",
        ),
        (
            "very-heavy",
            1000,
            500,
            300,
            "large",
            "Assumption: very heavy user, 1,000 prompts a day",
            None,
            None,
            "assumption",
        ),
    ]


def test_the_average_persona_is_what_its_source_says():
    average = next(persona for persona in compare.shipped() if persona.id == "average")
    assert average.prompts_per_day == pytest.approx(18e9 / 700e6 / 7, abs=0.01)


def test_a_prompt_costs_what_a_chat_turn_on_a_large_model_costs(
    connection: duckdb.DuckDBPyConnection,
):
    prompts = compare.define(connection)
    # 1.72 * (3.5e-3*37*500*(1 + 250/5e4) + 300*(0.55 + 1.9e-10*7e4*650)) = 400.19 J
    assert [prompt.energy_wh.central for prompt in prompts] == pytest.approx([400.1877 / 3600] * 3)
    assert connection.execute(
        "SELECT id, energy_wh, energy_low_wh, energy_high_wh FROM persona_prompt"
    ).fetchall() == [
        (p.persona.id, p.energy_wh.central, p.energy_wh.low, p.energy_wh.high) for p in prompts
    ]


def test_draws_of_a_prompt_are_numbered_as_those_of_models(
    connection: duckdb.DuckDBPyConnection,
):
    prompts = compare.define(connection)
    rows = connection.execute("FROM persona_draw ORDER BY id, draw").fetchall()
    assert rows == [
        (p.persona.id, draw, wh)
        for p in sorted(prompts, key=lambda p: p.persona.id)
        for draw, wh in enumerate(p.draws_wh)
    ]
    assert len(prompts[0].draws_wh) == draws.DRAWS


def test_shared_constants_cancel_in_the_ratio_of_agent_and_person(tmp_path: Path):
    # Both small, so that what they share is much of what is unknown. Pairing draw with draw knows
    # the ratio better than pairing each draw with some other one.
    mine = compare.load(edited(tmp_path, 'class = "large"', 'class = "tiny"'), FACTORS)
    person = list(compare.prompts(mine, FACTORS)[0].draws_wh)
    agent = energy.factor_set([("x", "claude-2-haiku")]).models[0]
    step = energy.moments(TokenUsage(input_tokens=5_000, output_tokens=500))
    joules = [energy_j(step, draw) for draw in agent.draws]

    def width(persons: list[float]) -> float:
        ratios = sorted(j / wh for j, wh in zip(joules, persons, strict=True))
        return quantile(ratios, 0.95) / quantile(ratios, 0.05)

    others = [width(person[shift:] + person[:shift]) for shift in range(1, draws.DRAWS)]
    assert width(person) < min(others)


def test_other_personas_can_be_compared_with(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    mine = edited(tmp_path, 'class = "large"', 'class = "tiny"')
    prompts = compare.define(connection, personas=compare.load(mine, FACTORS))
    assert connection.execute("SELECT id, class FROM persona").fetchall() == [
        ("average", "tiny"),
        ("heavy", "large"),
        ("very-heavy", "large"),
    ]
    assert prompts[0].energy_wh.central < prompts[1].energy_wh.central


def test_no_personas_are_no_rows(connection: duckdb.DuckDBPyConnection):
    assert compare.define(connection, personas=[]) == []
    assert connection.execute("FROM persona").fetchall() == []
    assert connection.execute("FROM persona_prompt").fetchall() == []
    assert connection.execute("FROM persona_draw").fetchall() == []


def test_every_table_and_column_says_what_it_is(connection: duckdb.DuckDBPyConnection):
    compare.define(connection)
    assert (
        connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE comment IS NULL "
            "UNION ALL SELECT table_name || '.' || column_name FROM duckdb_columns() "
            "WHERE comment IS NULL AND NOT internal"
        ).fetchall()
        == []
    )


def edited(tmp_path: Path, old: str, new: str) -> Path:
    """Copy the shipped personas, with one passage replaced."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    copy = tmp_path / "personas.toml"
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'id = "heavy"',
            'id = "average"',
            r"personas.toml: persona 'average' is given twice\. Remove one of the two\.",
        ),
        (
            'class = "large"',
            'class = "huge"',
            r"persona 'average' names class 'huge'\. Classes: embedding, tiny, ",
        ),
        (
            "prompts_per_day = 100\n",
            "prompts_per_day = 0\n",
            r"personas.toml: persona 'heavy' uses nothing that can be compared with: "
            r"prompts_per_day = 0\. Give prompts_per_day above zero, or remove the persona\.",
        ),
        (
            "prompts_per_day = 100\ninput_tokens = 500\n",
            "prompts_per_day = nan\ninput_tokens = -1\n",
            r"prompts_per_day = nan and input_tokens = -1\. Give prompts_per_day and input_tokens",
        ),
        (
            "prompts_per_day = 3.67\n",
            "prompts_per_day = inf\n",
            r"persona 'average' uses nothing that can be compared with: prompts_per_day = inf\.",
        ),
        (
            "prompts_per_day = 100\n",
            'prompts_per_day = "many"\n',
            r"persona 'heavy': Expected `float`, got `str` - at `\$.prompts_per_day`\. .* is an ex",
        ),
        (
            'id = "average"\n',
            "id = 1\n",
            r"personas.toml: persona number 1: Expected `str`, got `int` - at `\$.id`\.",
        ),
        (
            "output_tokens = 300\n",
            "output_tokens = 300\ncache_read_tokens = 501\n",
            r"'average' reads 501 tokens from a cache, and its input has 500\. .* give 0 to 500\.",
        ),
        (
            'class = "large"\n',
            "",
            r"persona 'average' needs the class of the model that answers or its name, and not bo",
        ),
        (
            'class = "large"\n',
            'class = "large"\nmodel = "gpt-5"\n',
            r"persona 'average' needs the class of the model that answers or its name, and not bo",
        ),
        (
            'assumption = "Assumption: heavy user, 100 prompts a day"',
            "",
            r"persona 'heavy' needs a source, or mark = 'assumption' and the assumption in words\.",
        ),
        (
            'mark = "derived"',
            'mark = "assumption"',
            r"persona 'average' needs a source, or mark = 'assumption'",
        ),
        (
            'source = { id = "how-people-use-chatgpt"',
            'source = { id = "somewhere"',
            r"persona 'average' cites source 'somewhere', which is not given\. "
            r"Add a \[source.somewhere\] table\.",
        ),
        (
            "prompts_per_day = 3.67\n",
            "",
            r"personas.toml: persona 'average': Object missing required field `prompts_per_day`\.",
        ),
    ],
)
def test_a_bad_persona_is_one_sentence(tmp_path: Path, old: str, new: str, message: str):
    with pytest.raises(FactorError, match=message) as caught:
        compare.load(edited(tmp_path, old, new), FACTORS)
    assert "\n" not in str(caught.value)


def written(path: Path, *personas: str) -> Path:
    """Write personas, each an id with what is not as usual of it."""
    usual = {
        "name": '"somebody"',
        "prompts_per_day": "4",
        "input_tokens": "500",
        "output_tokens": "300",
        "mark": '"assumption"',
        "retrieved": "2026-11-23",
        "assumption": '"as we think"',
    }
    text = ""
    for persona in personas:
        id_, *said = persona.split("; ")
        lines = usual | dict(one.split(" = ") for one in said)
        text += f'[[persona]]\nid = "{id_}"\n'
        text += "".join(f"{key} = {value}\n" for key, value in lines.items())
    path.write_text(text, encoding="utf-8")
    return path


def test_personas_of_the_user_lie_over_ours_by_id_and_stay_in_place(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    written(home / "personas.toml", 'heavy; class = "tiny"', 'support; class = "tiny"')
    first = written(tmp_path / "first.toml", 'support; class = "small"', 'sales; class = "small"')
    second = written(tmp_path / "second.toml", 'sales; class = "medium"')
    found = compare.layered([first, second], home, FACTORS)
    assert [(persona.id, persona.class_name) for persona in found] == [
        ("average", "large"),
        ("heavy", "tiny"),
        ("very-heavy", "large"),
        ("support", "small"),
        ("sales", "medium"),
    ]
    assert compare.layered([], None, FACTORS) == compare.shipped()
    assert compare.layered([], tmp_path, FACTORS) == compare.shipped()


def test_a_persona_on_a_model_has_the_draws_of_that_model(tmp_path: Path):
    """Its prompt, of which 400 tokens are read from a cache, is a call like any other."""
    mine = written(tmp_path / "mine.toml", 'dev; model = "GPT-5"; cache_read_tokens = 400')
    (persona,) = compare.load(mine, FACTORS)
    assert (persona.model, persona.class_name) == ("GPT-5", "large")
    (prompt,) = compare.prompts([persona], FACTORS)
    usage = TokenUsage(input_tokens=500, output_tokens=300, cache_read_tokens=400)
    (model,) = energy.factor_set([("openai", "gpt-5")]).models
    assert prompt.energy_wh == energy.estimate(usage, model)
    assert prompt.draws_wh == tuple(
        energy_j(energy.moments(usage), draw) / 3600 for draw in model.draws
    )


def test_a_persona_on_a_model_of_which_nothing_is_known_is_as_unsure(tmp_path: Path):
    mine = written(tmp_path / "mine.toml", 'dev; model = "zorg-9"')
    (persona,) = compare.load(mine, FACTORS)
    assert persona.class_name == "unknown"
    (prompt,) = compare.prompts([persona], FACTORS)
    assert prompt.energy_wh.high > 10 * prompt.energy_wh.low


def test_personas_of_the_home_are_rows(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    written(tmp_path / "personas.toml", 'dev; model = "gpt-5"; cache_read_tokens = 400')
    compare.define(connection, home=tmp_path)
    assert connection.execute(
        "SELECT id, cache_read_tokens, class, model, title, mark, retrieved::VARCHAR FROM persona "
        "WHERE url IS NULL AND id NOT LIKE '%heavy'"
    ).fetchall() == [("dev", 400, "large", "gpt-5", "as we think", "assumption", "2026-11-23")]


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(FactorError, match=r"mine.toml cannot be read: No such file"):
        compare.load(tmp_path / "mine.toml", FACTORS)
