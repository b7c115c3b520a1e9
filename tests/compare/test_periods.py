from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.compare import periods
from agenttrace.compare.periods import ALL, Period, between, parse
from agenttrace.errors import ConfigError

moment = datetime.fromisoformat


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-02", "2026-02-01", "2026-03-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-W01", "2025-12-29", "2026-01-05"),
        ("2026-10-05", "2026-10-05", "2026-10-06"),
        ("2026-10-05T14", "2026-10-05T14", "2026-10-05T15"),
        ("2026-10-05 14:00", "2026-10-05T14", "2026-10-05T15"),
        (" 2026-10-01 .. 2026-10-15 ", "2026-10-01", "2026-10-16"),
        ("2026-09..2026-10", "2026-09-01", "2026-11-01"),
        ("2026-10-05T14..2026-10-06", "2026-10-05T14", "2026-10-07"),
    ],
)
def test_a_period_is_said_in_the_forms_of_iso_8601_and_holds_both_its_ends(
    said: str, start: str, end: str
):
    period = parse(said)
    assert (period.start, period.end) == (
        moment(start),
        moment(end),
    )
    assert str(period) == said.strip()


@pytest.mark.parametrize(
    "said",
    [
        "",
        "soon",
        "2026-13",
        "2026-W54",
        "2026-02-30",
        "26-10",
        "9999",
        "..",
        "2026..",
        "2026-10-05T24",
        "0000",
    ],
)
def test_what_is_no_period_is_refused_with_the_forms_that_are(said: str):
    with pytest.raises(ConfigError, match=r"is no period\. Say it as 2026-10 "):
        parse(said)


def test_a_period_that_ends_before_it_begins_is_refused():
    with pytest.raises(ConfigError, match="ends before it begins"):
        parse("2026-10-02..2026-10-01")


@pytest.mark.parametrize(
    ("said", "before"),
    [
        ("2026-03", "2026-02"),
        ("2026-01", "2025-12"),
        ("2026", "2025"),
        ("2026-W02", "2026-W01"),
        ("2026-W01", "2025-W52"),
        ("2026-10-01", "2026-09-30"),
        ("2026-10-01T00", "2026-09-30T23"),
        ("2026-10-03..2026-10-04", "2026-10-01..2026-10-02"),
    ],
)
def test_the_period_before_is_the_unit_before_else_as_long_a_stretch(said: str, before: str):
    earlier = parse(said).before()
    assert earlier is not None
    assert earlier.label == before
    assert earlier.end == parse(said).start


@pytest.mark.parametrize("said", ["0001", "0001-01", "0001-01-01", "0001-01-01T00", "1002..2026"])
def test_before_the_first_year_there_is_nothing(said: str):
    assert parse(said).before() is None


def test_before_everything_there_is_nothing():
    assert ALL.before() is None
    assert parse("ALL") is ALL
    assert ALL.days is None


def test_periods_overlap_where_a_moment_is_in_both():
    october, november = parse("2026-10"), parse("2026-11")
    assert not october.overlaps(november)
    assert not november.overlaps(october)
    assert parse("2026-10-31T23").overlaps(october)
    assert ALL.overlaps(november)
    assert november.overlaps(ALL)


def test_the_months_between_two_moments_are_those_of_both_and_all_between():
    found = periods.months(moment("2026-11-30T23"), moment("2027-01-01"))
    assert [month.label for month in found] == ["2026-11", "2026-12", "2027-01"]


HOURS = st.datetimes(moment("2000-01-01"), moment("2100-01-01")).map(
    lambda drawn: drawn.replace(minute=0, second=0, microsecond=0)
)


@given(HOURS, st.integers(1, 10_000))
def test_a_label_says_the_very_period(start: datetime, hours: int):
    end = start + timedelta(hours=hours)
    period = between(start, end)
    assert (period.start, period.end) == (start, end)
    again = parse(period.label)
    assert (again.start, again.end) == (start, end)


def test_whole_hours_hold_the_first_and_the_last_moment():
    found = periods.whole_hours(moment("2026-10-05T14:59"), moment("2026-10-05T16:00"))
    assert found == Period(
        "2026-10-05T14..2026-10-05T16", moment("2026-10-05T14"), moment("2026-10-05T17")
    )
