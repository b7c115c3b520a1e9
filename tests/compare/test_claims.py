from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.compare import claims
from agenttrace.compare.claims import (
    NOT_ENOUGH,
    NOT_SUPPORTED,
    SUPPORTED,
    Bound,
    Verdict,
    judge,
    together,
)
from agenttrace.errors import FactorError
from agenttrace.model import Range
from agenttrace.report.claims.builder import ANSWERS

TEN_TO_HUNDRED = Bound(of="calls", unit="times", at_least=10, at_most=100)
OVER_HALF = Bound(of="hidden", unit="share", above=0.5)
AT_MOST = Bound(of="prompts", unit="prompts", at_most=1000)
AT_LEAST = Bound(of="ratio", unit="times", at_least=2)

numbers = st.floats(min_value=-1e3, max_value=1e3)
three = st.tuples(numbers, numbers, numbers).map(sorted)


@pytest.mark.parametrize(
    ("value", "bound", "verdict"),
    [
        (Range(10, 50, 100), TEN_TO_HUNDRED, SUPPORTED),
        (Range(9.9, 50, 100), TEN_TO_HUNDRED, NOT_ENOUGH),
        (Range(10, 50, 100.1), TEN_TO_HUNDRED, NOT_ENOUGH),
        (Range(1, 50, 1000), TEN_TO_HUNDRED, NOT_ENOUGH),
        (Range(1, 2, 9.9), TEN_TO_HUNDRED, NOT_SUPPORTED),
        (Range(1, 2, 10), TEN_TO_HUNDRED, NOT_ENOUGH),
        (Range(100.1, 200, 300), TEN_TO_HUNDRED, NOT_SUPPORTED),
        (Range(0.51, 0.6, 0.7), OVER_HALF, SUPPORTED),
        (Range(0.5, 0.6, 0.7), OVER_HALF, NOT_ENOUGH),
        (Range(0.1, 0.2, 0.5), OVER_HALF, NOT_SUPPORTED),
        (Range(1000, 1000, 1000), AT_MOST, SUPPORTED),
        (Range(1001, 1001, 1001), AT_MOST, NOT_SUPPORTED),
        (Range(2, 3, 4), AT_LEAST, SUPPORTED),
        (Range(1.9, 3, 4), AT_LEAST, NOT_ENOUGH),
        (Range(1, 1.5, 1.9), AT_LEAST, NOT_SUPPORTED),
        (None, AT_LEAST, NOT_ENOUGH),
    ],
)
def test_the_whole_range_decides(value: Range | None, bound: Bound, verdict: Verdict):
    assert judge(value, bound) == verdict


@given(
    st.tuples(numbers, numbers, numbers).map(sorted),
    st.tuples(numbers, numbers, numbers).map(sorted),
)
def test_a_wider_range_never_turns_one_verdict_into_the_other(
    values: list[float], others: list[float]
):
    narrow = Range(*values)
    wide = Range(min(values[0], others[0]), values[1], max(values[2], others[2]))
    for bound in (TEN_TO_HUNDRED, OVER_HALF, AT_MOST, AT_LEAST):
        assert judge(wide, bound) in {judge(narrow, bound), NOT_ENOUGH}


@pytest.mark.parametrize(
    ("verdicts", "of_all", "of_any"),
    [
        ([SUPPORTED, SUPPORTED], SUPPORTED, SUPPORTED),
        ([SUPPORTED, NOT_SUPPORTED], NOT_SUPPORTED, SUPPORTED),
        ([SUPPORTED, NOT_ENOUGH], NOT_ENOUGH, SUPPORTED),
        ([NOT_ENOUGH, NOT_SUPPORTED], NOT_SUPPORTED, NOT_ENOUGH),
        ([NOT_SUPPORTED, NOT_SUPPORTED], NOT_SUPPORTED, NOT_SUPPORTED),
        ([], NOT_ENOUGH, NOT_ENOUGH),
    ],
)
def test_one_figure_refuses_all_and_supports_any(
    verdicts: list[Verdict], of_all: Verdict, of_any: Verdict
):
    assert (together(verdicts, "all"), together(verdicts, "any")) == (of_all, of_any)


def test_every_claim_has_an_answer_and_every_answer_a_claim():
    assert [claim.id for claim in claims.shipped()] == list(ANSWERS)


def test_a_vague_word_says_how_it_became_a_number():
    vague = {"most", "several hundred", "about", "widely", "hide"}
    for claim in claims.shipped():
        for bound in claim.bound:
            if bound.unit != "opposite" and any(word in claim.text for word in vague):
                assert bound.reading or bound.of == "energy in all", (claim.id, bound.of)


CLAIM = """
[[claim]]
id = "one"
text = "one is more than nothing"
answered_by = "one"
holds_if = "all"
brings = "one"
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CLAIM + "bound = []", "claim 'one' has no bound. Add"),
        (CLAIM + '[[claim.bound]]\nof = "one"\nunit = "times"', "is none. Give above"),
        (
            CLAIM + '[[claim.bound]]\nof = "one"\nunit = "times"\nabove = 1\nat_most = 2',
            "is none. Give above",
        ),
        (
            CLAIM + '[[claim.bound]]\nof = "one"\nunit = "times"\nat_least = 3\nat_most = 2',
            "ends at 2 before it begins at 3. Swap them.",
        ),
        (2 * (CLAIM + '[[claim.bound]]\nof = "one"\nunit = "times"\nabove = 1\n'), "given twice"),
        ("[[claim]]\nname = 1", "is an example"),
    ],
)
def test_a_file_that_says_nothing_clear_is_refused(tmp_path: Path, text: str, said: str):
    path = tmp_path / "claims.toml"
    path.write_text(text)
    with pytest.raises(FactorError, match=said):
        claims.load(path)
