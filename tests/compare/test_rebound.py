import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.compare.rebound import Rebound, reading, rebound


def test_60_percent_less_per_token_and_50_percent_more_in_all_is_backfire() -> None:
    """Efficiency could save 0.6 of 100, and 50 more went: 1 + 50 / 60 = 1.8333."""
    found = rebound(100, 150, 1.0, 0.4)
    assert found == Rebound(pytest.approx(1.8333, abs=5e-5), "backfire", None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after", "ratio", "expected"),
    [
        (30, -0.75, "super-conservation"),  # 70 saved of the 40 that efficiency saves
        (60, 0.0, "partial rebound"),  # all 40 are saved
        (80, 0.5, "partial rebound"),  # 20 of the 40
        (100, 1.0, "partial rebound"),  # none of them, and none lost
        (120, 1.5, "backfire"),
    ],
)
def test_the_reading_follows_from_how_much_is_saved(
    after: float, ratio: float, expected: str
) -> None:
    """Energy per token falls from 10 to 6, so 100 would become 60."""
    found = rebound(100, after, 10, 6)
    assert (found.ratio, found.reading) == (pytest.approx(ratio), expected)


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ((100, 50, 1, 1), "did not fall"),
        ((100, 50, 1, 2), "did not fall"),
        ((0, 50, 1, 0.5), "took no energy"),
        ((100, 50, 0, 0), "took no energy"),
        ((None, 50, 1, 0.5), "not known"),
        ((100, None, 1, 0.5), "not known"),
        ((100, 50, None, 0.5), "not known"),
        ((100, 50, 1, None), "not known"),
    ],
)
def test_without_a_saving_there_is_none_and_the_reason_is_said(
    given_: tuple[float | None, float | None, float | None, float | None], why: str
) -> None:
    found = rebound(*given_)
    assert (found.ratio, found.reading) == (None, None)
    assert found.why_not is not None
    assert why in found.why_not


@given(st.floats(1e-3, 1e9), st.floats(0, 1e9), st.floats(1e-6, 1e3), st.floats(1e-3, 0.999))
def test_above_1_is_more_than_before_and_below_0_less_use(
    before: float, after: float, each: float, fall: float
) -> None:
    found = rebound(before, after, each, each * fall)
    if found.ratio is None:
        return
    use = after / (before * fall)
    assert found.reading == reading(found.ratio)
    if after > before * (1 + 1e-9):
        assert found.reading == "backfire"
    if use < 1 - 1e-9:
        assert found.reading == "super-conservation"
