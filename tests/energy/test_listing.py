"""Records as lines of TOML say what the records say."""

import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace.energy import factor_file, listing, shipped
from agenttrace.energy.factors import Citation, Factor, ModelClass
from agenttrace.energy.listing import Record

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(deadline=None)
@given(
    words=WORDS,
    figures=st.tuples(*[st.floats(allow_nan=False)] * 5),
    locators=st.lists(WORDS, max_size=2),
)
def test_a_factor_is_the_same_after_a_round_through_toml(
    words: str, figures: tuple[float, float, float, float, float], locators: list[str]
):
    low, central, high, least, most = figures
    factor = Factor(
        id=words,
        name=words,
        unit=words,
        low=low,
        central=central,
        high=high,
        boundary="model",
        mark="read",
        retrieved=date(2026, 11, 23),
        sources=tuple(Citation(words, locator) for locator in locators),
        least=least,
        most=most,
    )
    text = listing.to_toml(Record("factor", factor.id, factor))
    assert factor_file.parse(text, "again").factor == (factor,)


@pytest.mark.parametrize("size", [math.inf, 7.5])
def test_a_class_without_a_limit_says_none(size: float):
    entry = ModelClass("vast", "larger ones", moe_up_to_b=size)
    text = listing.to_toml(Record("class", "vast", entry))
    assert factor_file.parse(text, "again").classes == (entry,)
    assert ("moe_up_to_b" in text) == (size == 7.5)


@settings(deadline=None)
@given(key=WORDS.filter(bool))
def test_the_key_of_a_source_can_be_any_word(key: str):
    source = shipped().sources["irminsul"]
    text = listing.to_toml(Record("source", key, source))
    assert factor_file.parse(text, "again").source == {key: source}
