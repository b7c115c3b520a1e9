from datetime import datetime

from agenttrace.compare.periods import ALL, parse
from agenttrace.report import stretches

RECORDED = ("2026-11-02T07:00:00Z", "2026-11-15T18:00:00Z")
LATER = datetime(2026, 12, 1)  # noqa: DTZ001 - UTC


def test_an_overlap_is_said_with_its_first_and_its_last_day():
    said = stretches.overlap(parse("2026-11"), parse("2026-10-15..2026-11-15"))
    assert said.endswith("overlap from 2026-11-01 to 2026-11-15 (UTC)")
    assert "all recorded overlap from 2026-11-01" in stretches.overlap(parse("2026-11"), ALL)


def test_a_month_that_is_not_whole_is_said_with_dates():
    assert list(stretches.unfinished(parse("2026-11"), RECORDED, LATER)) == [
        "nothing is recorded after 2026-11-15 (UTC), so 2026-11 is not whole",
        "nothing is recorded before 2026-11-02 (UTC), so 2026-11 is not whole",
    ]
    now = datetime(2026, 11, 16)  # noqa: DTZ001 - UTC
    over = next(iter(stretches.unfinished(parse("2026-11"), RECORDED, now)))
    assert over.startswith("the period 2026-11 is not over: it lasts to 2026-11-30 (UTC)")
    assert list(stretches.unfinished(parse("2026-W46"), RECORDED, LATER)) == []
