import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.figures import DASH

magnitudes = st.floats(min_value=1e-12, max_value=1e15, allow_nan=False)


def as_number(text: str) -> float:
    return float(text.replace(",", ""))


@given(st.tuples(magnitudes, magnitudes, magnitudes).map(sorted))
def test_printed_ranges_keep_their_order(values: list[float]):
    unit = figures.unit_of(values[1], figures.ENERGY)
    low, central, high = (as_number(text) for text in figures.bounds(Range(*values), unit))
    assert low <= central <= high


@given(magnitudes)
def test_two_significant_digits_are_within_five_per_cent(value: float):
    assert as_number(figures.significant(value)) == pytest.approx(value, rel=0.0501)


@given(st.floats(min_value=1e-6, max_value=9.9e11))
def test_a_scaled_number_has_at_most_three_digits_before_the_point(value: float):
    unit = figures.unit_of(value, figures.ENERGY)
    assert 1 <= as_number(figures.significant(value / unit.size)) < 1000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.00123, "0.0012"),
        (0.0999, "0.10"),
        (0.996, "1.0"),
        (3.44, "3.4"),
        (99.6, "100"),
        (1234, "1,200"),
    ],
)
def test_two_digits_are_kept(value: float, text: str):
    assert figures.significant(value) == text


def test_an_interval_takes_the_unit_of_its_central_value():
    assert (
        figures.interval(Range(420, 1040, 3100), figures.ENERGY)
        == f"0.42 {DASH} 1.0 {DASH} 3.1 kWh"
    )


def test_a_value_that_rounds_up_to_the_next_unit_is_told_in_it():
    assert figures.unit_of(999.6, figures.ENERGY).symbol == "kWh"


def test_nothing_is_zero_in_the_base_unit():
    assert figures.interval(Range(0, 0, 0), figures.MASS) == f"0 {DASH} 0 {DASH} 0 g"


def test_what_was_not_reported_is_not_zero():
    assert [figures.count(None), figures.count(0)] == ["not reported", "0"]


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 200, "0 %"),
        (1, 200, "<1 %"),
        (100, 200, "50 %"),
        (199, 200, ">99 %"),
        (200, 200, "100 %"),
        (0, 0, DASH),
        (None, 5, DASH),
    ],
)
def test_a_share_rounds_to_none_or_all_only_when_it_is(part: float, whole: float, text: str):
    assert figures.share(part, whole) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "not reported"),
        (0, "0 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (59_949, "59.9 s"),
        (59_950, "1 min 00 s"),
        (3_599_600, "1 h 00 min"),
        (360_000_000, "100 h 00 min"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(milliseconds: float | None, text: str):
    assert figures.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (None, "?"),
        (0, "±0 %"),
        (0.35, "+35 %"),
        (-0.1, "-10 %"),
        (0.004, "+0.4 %"),
        (0.00004, "+0.004 %"),
        (-0.0095, "-1 %"),
        (-0.994, "<-99 %"),
        (-1, "-100 %"),
        (18.5, "+1,850 %"),
    ],
)
def test_a_change_has_its_sign(part: float | None, said: str):
    assert figures.change(part) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "not reported"), (12345, "12,345"), (12.345, "12.3"), (0.5, "0.500"), (0, "0")],
)
def test_an_amount_is_a_count_or_a_part_of_one(value: float | None, said: str):
    assert figures.amount(value) == said


def test_one_of_something_is_not_told_as_several():
    said = [figures.counted(number, "person-day") for number in (0, 1, 1000)]
    assert said == ["0 person-days", "1 person-day", "1,000 person-days"]
    assert [figures.counted(number, "person") for number in (1, 2)] == ["1 person", "2 people"]
