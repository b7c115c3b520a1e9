from pathlib import Path

import pytest

from agenttrace.compare import published
from agenttrace.errors import FactorError

SHIPPED = Path(published.__file__).with_name("published.toml")


def test_every_figure_has_its_value_its_measure_and_its_source():
    assert [
        (one.id, one.measure, one.value, one.source.by, one.mark) for one in published.shipped()
    ] == [
        ("agent-chat", "chats_per_task", 4, "Anthropic", "second-hand"),
        ("multi-agent-chat", "chats_per_task", 15, "Anthropic", "second-hand"),
        ("swe-bench", "tokens_per_task", 4_170_000, "Bai et al.", "second-hand"),
        (
            "tracelab-cached",
            "cache_read_tokens_per_call",
            118_656,
            "University of Washington",
            "excerpt",
        ),
        (
            "tracelab-new",
            "other_input_tokens_per_call",
            875,
            "University of Washington",
            "excerpt",
        ),
        ("tracelab-output", "output_tokens_per_call", 214, "University of Washington", "excerpt"),
        ("tracelab-steps", "calls_per_task", 8.8, "University of Washington", "excerpt"),
    ]
    assert all(one.source.url.startswith("https://") for one in published.shipped())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value = 4\n", "value = 0\n", r"figure 'agent-chat' is 0\. Give a value above zero\."),
        ("value = 4\n", "value = inf\n", r"figure 'agent-chat' is inf\. Give a value above zero"),
        ("value = 4\n", 'value = "4"\n', r"Expected `float`, got `str`"),
        ('id = "swe-bench"', 'id = "agent-chat"', r"figure 'agent-chat' is given twice"),
        ('{ id = "agent-spending"', '{ id = "who"', r"'swe-bench' cites source 'who', which is"),
        ('"tokens_per_task"', '"tokens"', r"Invalid enum value 'tokens'"),
    ],
)
def test_a_bad_figure_is_one_sentence(tmp_path: Path, old: str, new: str, message: str):
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    copy = tmp_path / "published.toml"
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FactorError, match=message) as caught:
        published.load(copy)
    assert "\n" not in str(caught.value)
