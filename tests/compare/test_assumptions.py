import pytest

from agenttrace.compare.assumptions import BOUNDS, Assumption, amount, check_assumption
from agenttrace.errors import ConfigError
from agenttrace.model import Range


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100", Range(100, 100, 100)),
        ("0.5", Range(0.5, 0.5, 0.5)),
        ("50%", Range(0.5, 0.5, 0.5)),
        ("-5 %", Range(-0.05, -0.05, -0.05)),
        ("20%/0.5/100%", Range(0.2, 0.5, 1.0)),
    ],
)
def test_an_option_is_a_number_a_per_cent_or_three_of_them(text: str, value: Range):
    assert amount(text).range == value


@pytest.mark.parametrize("text", ["", "much", "1/2", "1/2/3/4", "1//3"])
def test_what_is_no_number_is_refused_with_an_example(text: str):
    with pytest.raises(ConfigError, match=r"is no number. Say one such as 0\.5 or 50%"):
        amount(text)


@pytest.mark.parametrize(
    "said",
    [
        Assumption(),
        Assumption(low=1, high=2),
        Assumption(value=1, central=1),
    ],
)
def test_an_assumption_is_a_value_or_all_of_a_range(said: Assumption):
    with pytest.raises(ConfigError, match="agents needs value, or low, central and high"):
        check_assumption("agents", said, BOUNDS["agents"])


@pytest.mark.parametrize("text", ["3/2/1", "nan", "inf", "1/nan/3"])
def test_a_range_is_in_order_and_of_numbers(text: str):
    with pytest.raises(ConfigError, match="low <= central <= high"):
        check_assumption("agents", amount(text), BOUNDS["agents"])


@pytest.mark.parametrize(
    ("name", "text", "way_out"),
    [
        ("agents", "0", "more than 0"),
        ("agents", "-1/1/2", "more than 0"),
        ("hours_per_week", "169", "A week has 168 hours"),
        ("hours_per_week", "-3", "A week has 168 hours"),
        ("growth", "-100%", "more than -1"),
        ("growth", "-2", "more than -1"),
        ("growth", "50", "0.5 or 50% is half as many more"),
        ("efficiency", "100%", "less than 1"),
        ("efficiency", "0.5/0.9/1.2", "less than 1"),
        ("grid", "-1", "0 to 3,000"),
        ("grid_change", "-100%", "-5% is 5 % less a year"),
        ("people", "0", "how many people"),
        ("tasks_per_hour", "0", "more than 0"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(name: str, text: str, way_out: str):
    with pytest.raises(ConfigError, match=way_out):
        check_assumption(name, amount(text), BOUNDS[name])


@pytest.mark.parametrize(
    ("name", "text"),
    [("hours_per_week", "168"), ("growth", "-99%"), ("efficiency", "99%"), ("grid", "0")],
)
def test_what_hardly_can_be_is_taken(name: str, text: str):
    check_assumption(name, amount(text), BOUNDS[name])
