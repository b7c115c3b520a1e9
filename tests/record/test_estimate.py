"""Tokens that no provider reported are estimated near the truth, and only from text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.record.wire import estimate


@pytest.mark.parametrize(
    ("text", "true"),
    [
        # The second is the number of tokens in o200k_base.
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("def total(values: list[int]) -> int:\n    return sum(values)\n", 15),
        ('{"id": 17, "name": "item 17", "price": 21.25}', 22),
        ("Die Rechenzentrumsbetreiber veröffentlichen Stromverbrauchsstatistiken.", 16),
        ("getElementsByClassNameAndAttribute(documentFragmentIdentifier)", 10),
        ("数据中心每年消耗越来越多的电力", 11),
    ],
)
def test_pieces_come_near_the_true_number(text: str, true: int) -> None:
    assert estimate.pieces(text * 20) == pytest.approx(20 * true, rel=0.3)


@given(st.text(max_size=200), st.text(max_size=200))
def test_an_estimate_is_never_negative_and_grows_with_the_text(one: str, other: str) -> None:
    assert estimate.count("") == 0
    assert estimate.pieces(one) >= 1 or not one
    assert estimate.pieces(one + "\n" + other) + 2 >= estimate.pieces(one)


def test_of_a_long_text_parts_are_counted_and_stand_for_the_whole() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 20_000
    assert estimate.pieces(text) == pytest.approx(estimate.count(text), rel=0.2)


def test_pictures_and_ids_are_no_text() -> None:
    text = {"type": "text", "text": "one two three"}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1000}}
    inline = {"inlineData": {"mimeType": "image/png", "data": "A" * 1000}}
    plain = {"messages": [{"role": "user", "content": [text]}]}
    pictured = {"messages": [{"role": "user", "content": [text, picture, inline]}]}
    assert estimate.input_tokens(json.dumps(pictured).encode()) == estimate.input_tokens(
        json.dumps(plain).encode()
    )


@pytest.mark.parametrize("key", ["messages", "input", "prompt", "contents", "texts", "system"])
def test_the_text_is_found_wherever_a_protocol_puts_it(key: str) -> None:
    assert estimate.input_tokens(json.dumps({key: "one two three"}).encode()) == 3


def test_what_is_no_json_is_unknown_and_not_zero() -> None:
    assert estimate.input_tokens(b"--boundary") is None
    assert estimate.input_tokens(b'{"messages": "cut') is None


@pytest.mark.parametrize(
    ("model", "vocabulary"),
    [
        ("gpt-5", "o200k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("deepseek-chat", "deepseek_v3"),
        ("meta-llama/Llama-3.3-70B", "llama3"),
        ("claude-sonnet-5", "o200k_base"),
    ],
)
def test_each_model_is_counted_with_its_vocabulary_or_the_nearest(
    model: str, vocabulary: str
) -> None:
    assert estimate._vocabulary(model) == vocabulary


def test_with_the_extra_the_vocabulary_counts() -> None:
    splintr = pytest.importorskip("splintr")
    text = "The quick brown fox jumps over the lazy dog."
    exact = splintr.Tokenizer.from_pretrained("o200k_base").encode_ordinary(text)
    assert estimate.count(text, "gpt-5") == len(exact) == 10
