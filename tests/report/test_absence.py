from pathlib import Path

import pytest

from agenttrace.compare import periods
from agenttrace.reader import Reader
from agenttrace.report import absence
from agenttrace.report.selection import Selection
from tests.builders import begin, chat, spans, task, write


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection(), "no model call is recorded"),
        (Selection(periods.parse("2020")), "no model call is recorded (period 2020)"),
        (
            Selection(workload="agentic", project="shop"),
            "no model call is recorded (workload agentic, project shop, period all)",
        ),
    ],
)
def test_what_is_not_there_is_named(selection: Selection, said: str):
    assert absence.nothing_in(selection) == said


def test_the_days_of_the_first_and_the_last_call_are_said():
    two_days = ("2026-11-02T07:02:08Z", "2026-11-15T17:59:02.009420Z")
    assert list(absence.elsewhere(two_days)) == [
        "calls of any kind were recorded from 2026-11-02 to 2026-11-15 (UTC)"
    ]
    one_day = ("2026-11-02T07:02:08Z", "2026-11-02T09:00:00Z")
    assert list(absence.elsewhere(one_day)) == [
        "calls of any kind were recorded on 2026-11-02 (UTC)"
    ]


def test_where_nothing_was_recorded_there_is_no_day_to_say(home: Path):
    begin(home)
    with Reader(home) as reader:
        assert absence.recorded(reader) is None
    assert list(absence.elsewhere(None)) == []


def test_the_first_and_the_last_call_are_those_of_everything(home: Path):
    begin(home)
    write(home, spans(task("t", chat(input=1))))
    with Reader(home) as reader:
        assert absence.recorded(reader) == ("2025-10-09T08:53:22Z", "2025-10-09T08:53:22Z")
