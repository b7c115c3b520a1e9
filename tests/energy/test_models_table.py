from pathlib import Path

import pytest

from agenttrace import energy
from agenttrace.compare import anchors
from agenttrace.compare.anchors import Beside, beside, load, shipped
from agenttrace.errors import FactorError
from agenttrace.model import Range, TokenUsage

PUBLISHED = shipped()
CHAT, STEP = PUBLISHED.calls["chat"], PUBLISHED.calls["agent-step"]
TABLE = beside(anchors.MODELS, [CHAT, STEP])
ROWS = {row.model: row for row in TABLE}

GOOD = """
[source.paper]
by = "Somebody"
title = "Paper"
year = 2026
url = "https://example.com"
mark = "read"

[[call]]
id = "turn"
name = "turn"
input_tokens = 10
output_tokens = 5
mark = "assumption"
retrieved = 2026-11-23
source = { id = "paper" }

[[anchor]]
id = "theirs"
name = "their prompt"
low_wh = 0.1
central_wh = 0.2
high_wh = 0.3
tokens = "not given"
includes = "facility"
mark = "read"
retrieved = 2026-11-23
source = { id = "paper" }
"""


def test_fifteen_models_of_at_least_five_makers_and_every_class_that_decodes_are_compared():
    classes = {one.name for one in energy.shipped().classes.values() if one.decodes}
    assert len(TABLE) == 15
    assert len({row.provider for row in TABLE}) >= 5
    assert {row.class_name for row in TABLE} == classes


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.model)
def test_every_figure_is_a_range(row: Beside):
    for wh in (*row.ours_wh, *(one for one in row.ecologits_wh if one)):
        assert 0 < wh.low <= wh.central <= wh.high


def test_a_row_is_the_estimate_of_the_call():
    (sonnet,) = energy.factor_set([(None, "claude-sonnet-4-5")]).models
    usage = TokenUsage(input_tokens=119531, cache_read_tokens=118656, output_tokens=214)
    assert STEP.usage == usage
    assert ROWS["claude-sonnet-4-5"].ours_wh[1] == energy.estimate(usage, sonnet)


def test_a_chat_turn_can_be_worked_out_by_hand():
    # DeepSeek V3: 37 B active, class large, 70,272 byte per token of cache.
    read = 1.72 * 3.5e-3 * 37 * 500 * (1 + 250 / 5e4)
    written = 1.72 * 300 * (0.55 + 1.9e-10 * 70272 * (500 + 150))
    assert ROWS["deepseek-v3.2"].ours_wh[0].central == pytest.approx((read + written) / 3600)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.model)
def test_ecologits_says_less_of_the_step_than_of_the_turn_and_we_say_more(row: Beside):
    chat, step = row.ours_wh
    assert step.central > chat.central
    if row.ecologits_wh[0] and row.ecologits_wh[1]:
        assert row.ecologits_wh[1].central < row.ecologits_wh[0].central


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.model)
def test_most_of_a_step_is_its_context(row: Beside):
    (factor,) = energy.factor_set([(None, row.model)]).models
    written = factor.coefficients.j_output * STEP.output_tokens / 3600
    assert written < row.ours_wh[1].central / 2


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.model)
def test_ecologits_is_two_to_ten_times_ours_for_a_turn_on_a_large_model(row: Beside):
    theirs = row.ecologits_wh[0]
    if theirs and row.class_name in ("large", "xlarge"):
        assert 2 < theirs.central / row.ours_wh[0].central < 10


def test_published_figures_lie_in_our_range_for_a_large_model():
    for row in TABLE:
        if row.class_name == "large":
            ours = row.ours_wh[0]
            for anchor in PUBLISHED.anchors:
                assert ours.central < anchor.central_wh < ours.high


def test_a_model_that_ecologits_does_not_have_has_none():
    assert ROWS["qwen3-235b-a22b"].ecologits_wh == (None, None)


def test_every_call_and_figure_has_a_source():
    for record in (*PUBLISHED.calls.values(), *PUBLISHED.anchors):
        assert PUBLISHED.sources[record.source.id].url.startswith("https://")
        assert record.source.locator
    cited = {one.source.id for one in (*PUBLISHED.calls.values(), *PUBLISHED.anchors)}
    assert cited == set(PUBLISHED.sources)


def test_the_published_figures_are_these():
    assert {one.id: one.energy_wh for one in PUBLISHED.anchors} == {
        "google": Range(0.24, 0.24, 0.24),
        "epoch": Range(0.30, 0.30, 0.30),
        "oviedo": Range(0.16, 0.31, 0.60),
        "openai": Range(0.34, 0.34, 0.34),
    }


def test_a_file_of_calls_and_figures_is_read(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    found = load(path)
    assert found.calls["turn"].usage == TokenUsage(
        input_tokens=10, output_tokens=5, cache_read_tokens=0
    )
    assert found.anchors[0].energy_wh == Range(0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("low_wh = 0.1", "low_wh = 0.9", r"anchor 'theirs' needs 0 < low_wh <= central_wh"),
        ("low_wh = 0.1", "low_wh = 0.0", r"anchor 'theirs' needs 0 < low_wh"),
        ("output_tokens = 5", "output_tokens = -5", r"call 'turn' reads more from the cache .* or"),
        ("output_tokens = 5", "output_tokens = 5\ncache_read_tokens = 11", r"call 'turn' reads"),
        ('id = "theirs"', 'id = "turn"', r"anchor 'turn' is given twice\. Remove"),
        (
            "[source.paper]",
            "[source.pepper]",
            r"cites source 'paper', which is not given\. Add a \[source.paper\]",
        ),
        ("low_wh = 0.1", 'low_wh = "much"', r"mine.toml: Expected `float`, got `str`"),
        ("low_wh = 0.1\n", "", r"mine.toml: Object missing required field `low_wh`"),
        ("low_wh = 0.1", "low_wh =", r"mine.toml: "),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, old: str, new: str, message: str):
    path = tmp_path / "mine.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FactorError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(FactorError, match=r"gone.toml cannot be read: No such file"):
        load(tmp_path / "gone.toml")
