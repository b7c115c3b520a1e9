"""Each claim on both sides of each of its bounds, with facts that are worked out by hand."""

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agenttrace.compare import claims
from agenttrace.compare.claims import NOT_ENOUGH, NOT_SUPPORTED, SUPPORTED, Verdict
from agenttrace.compare.periods import parse
from agenttrace.compare.what_if import Drawn
from agenttrace.energy.grid.certificates import import_certificates
from agenttrace.errors import ConfigError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.carbon import MatchLine
from agenttrace.report.claims import Asked, ClaimLine, ClaimsReport, claims_report
from agenttrace.report.claims.builder import ANSWERS
from agenttrace.report.claims.facts import (
    Agent,
    Equal,
    Facts,
    HiddenInTasks,
    Moved,
    PersonDays,
    Side,
)
from agenttrace.report.claims.hardware import Variant
from agenttrace.report.intensity import Change
from agenttrace.report.json import to_json
from agenttrace.report.selection import Selection
from tests.builders import Record, add, agent, chat, fact, later, spans, task, write

DAY = 24 * 3600


def drawn(*draws: float) -> Drawn:
    """Return a quantity that is the first centrally, and the others in its draws; else known."""
    central, *others = draws
    return Drawn(central, tuple(others or [central]))


def side(
    calls: int = 0,
    tokens: int | None = None,
    energy: Drawn | None = None,
    *,
    tasks: int = 1,
    hidden: int = 0,
    days: float | None = 7.0,
) -> Side:
    return Side(tasks, calls, hidden, 0, tokens, energy, days)


AVERAGE = Equal(
    "average", "average user", 3.67, "a paper", True, 7.0, Range(2100, 2100, 2100), 70.0
)
HEAVY = Equal("heavy", "heavy user", 100, "Assumption: heavy", False, 7.0, Range(70, 70, 70), 2.1)

NOBODY = PersonDays(0, 0, None, None, None, 0)

NOTHING = Facts(
    period="2026-10",
    boundary="facility",
    both=side(),
    agentic=side(),
    people=side(),
    agentic_equals=(),
    agent=Agent("all agentic work", side(), ()),
    persona="average",
    hidden=HiddenInTasks(0, 0, None, ()),
    person_days=NOBODY,
    moved="nothing was recorded in 2026-09",
    matching=(),
    variants=(),
    training_share=None,
)
"""Of an empty store."""


def held(id_: str, facts: Facts) -> ClaimLine:
    (claim,) = (one for one in claims.shipped() if one.id == id_)
    return ANSWERS[id_](claim, facts)


def verdicts(line: ClaimLine) -> list[Verdict]:
    return [one.verdict for one in line.findings]


@pytest.mark.parametrize("id_", list(ANSWERS))
def test_of_nothing_there_is_not_enough_data_and_what_is_missing_is_said(id_: str):
    line = held(id_, NOTHING)
    assert line.verdict == NOT_ENOUGH
    assert line.missing
    assert all(one.value is None for one in line.findings)
    assert all("2026-10, boundary facility" in one.said for one in line.findings)


@pytest.mark.parametrize(
    ("ratio", "verdict", "beyond"),
    [
        (9, NOT_SUPPORTED, "less than claimed"),
        (10, SUPPORTED, None),
        (100, SUPPORTED, None),
        (101, NOT_SUPPORTED, "more than claimed"),
    ],
)
def test_agents_run_10_to_100_times_of_each_measure(
    ratio: int, verdict: Verdict, beyond: str | None
):
    facts = replace(
        NOTHING,
        agentic=side(20 * ratio, 2000 * ratio, drawn(2.0 * ratio)),
        people=side(20, 2000, drawn(2.0)),
    )
    line = held("agents-over-people", facts)
    assert [one.of for one in line.findings] == ["calls", "tokens", "energy"]
    assert [one.value for one in line.findings] == [Range(ratio, ratio, ratio)] * 3
    assert [(one.verdict, one.side) for one in line.findings] == [(verdict, beyond)] * 3
    assert line.verdict == verdict


def test_a_ratio_whose_range_reaches_over_a_bound_is_not_enough():
    # In one draw 5 times, in the other 20: no verdict, and a narrower range would bring one.
    facts = replace(
        NOTHING,
        agentic=side(200, 2000, drawn(30.0, 10.0, 80.0)),
        people=side(20, 200, drawn(2.0, 2.0, 4.0)),
    )
    line = held("agents-over-people", facts)
    assert verdicts(line) == [SUPPORTED, SUPPORTED, NOT_ENOUGH]
    assert line.verdict == NOT_ENOUGH
    assert line.missing is not None
    assert line.missing.startswith("a narrower range")


def test_shared_draws_make_the_ratio_narrower_than_either_side():
    # Both sides triple in the second draw, so the ratio is 50 in each.
    facts = replace(
        NOTHING,
        agentic=side(1000, 1000, drawn(100.0, 100.0, 300.0)),
        people=side(20, 20, drawn(2.0, 2.0, 6.0)),
    )
    assert held("agents-over-people", facts).findings[2].value == Range(50, 50, 50)


def test_only_agentic_calls_are_set_against_personas_and_that_is_no_verdict():
    facts = replace(NOTHING, agentic=side(200, 2000, drawn(30.0)), agentic_equals=(AVERAGE, HEAVY))
    line = held("agents-over-people", facts)
    assert line.verdict == NOT_ENOUGH
    assert line.findings[0].said.startswith("Only agentic calls are recorded")
    # 2,100 days of a user in 7 days.
    assert line.also[0] == (
        "Against a persona instead, agents equal 300 active users of the persona average user "
        "(3.67 prompts a day; 2026-10, boundary facility; by tokens alone 10)."
    )
    assert line.persona == "average user, 3.67 prompts a day (a paper)"


def test_only_user_facing_calls_have_no_ratio():
    line = held("agents-over-people", replace(NOTHING, people=side(20, 200, drawn(2.0))))
    assert line.verdict == NOT_ENOUGH
    assert line.findings[0].said.startswith("Only user-facing calls are recorded")
    assert (line.also, line.persona) == ((), None)


def test_energy_that_nobody_knows_leaves_the_other_measures():
    facts = replace(NOTHING, agentic=side(200), people=side(20))
    assert verdicts(held("agents-over-people", facts)) == [SUPPORTED, NOT_ENOUGH, NOT_ENOUGH]


@pytest.mark.parametrize(
    ("hidden", "verdict"), [(0, NOT_SUPPORTED), (5, NOT_SUPPORTED), (6, SUPPORTED), (10, SUPPORTED)]
)
def test_most_calls_are_hidden_where_more_than_half_are(hidden: int, verdict: Verdict):
    facts = replace(
        NOTHING,
        both=side(10, hidden=hidden, tasks=4),
        hidden=HiddenInTasks(4, 2, 0.5, (("subagent", hidden),) if hidden else ()),
    )
    line = held("most-calls-hidden", facts)
    assert line.verdict == verdict
    assert line.findings[0].value == Range(hidden / 10, hidden / 10, hidden / 10)
    assert "in 2 of 4 tasks" in line.findings[0].said
    (calls,) = line.intensities
    assert (calls.each, calls.total, calls.volume) == (Range(2.5, 2.5, 2.5), Range(10, 10, 10), 4)


@pytest.mark.parametrize(
    ("user_days", "verdict"),
    [
        # Over 7 days; more than 300 at once.
        (Range(2100, 2100, 2100), NOT_SUPPORTED),
        (Range(2101, 2101, 2101), SUPPORTED),
        (Range(700, 2500, 9000), NOT_ENOUGH),
    ],
)
def test_one_agent_exceeds_several_hundred_users_where_all_of_the_range_does(
    user_days: Range, verdict: Verdict
):
    equals = (replace(AVERAGE, user_days=user_days), HEAVY)
    facts = replace(
        NOTHING, agent=Agent("the agent of the task fix", side(9, 90, drawn(70.0)), equals)
    )
    line = held("one-agent-over-users", facts)
    assert line.verdict == verdict
    assert line.persona == "average user, 3.67 prompts a day (a paper)"
    assert line.findings[0].said.startswith("Scaled to a week, the agent of the task fix equals ")
    assert line.also[1].startswith("With another persona, it equals 10 active users of the persona")


def test_the_persona_that_is_chosen_decides():
    agent_ = Agent("an agent", side(9, 90, drawn(70.0)), (AVERAGE, HEAVY))
    line = held("one-agent-over-users", replace(NOTHING, agent=agent_, persona="heavy"))
    assert line.findings[0].value == Range(10, 10, 10)
    assert line.persona == "heavy user, 100 prompts a day (Assumption: heavy)"


def test_a_stretch_is_scaled_to_a_week():
    # 70 Wh in 14 days are 35 Wh in a week.
    equal = replace(AVERAGE, days=14.0)
    agent_ = Agent("an agent", side(9, 90, drawn(70.0), days=14), (equal,))
    line = held("one-agent-over-users", replace(NOTHING, agent=agent_))
    assert "and 9 calls in 14 days" in line.also[0]
    assert "so 35" in line.also[0]
    assert line.findings[0].value == Range(150, 150, 150)


@pytest.mark.parametrize(("days", "verdict"), [(0.99, NOT_ENOUGH), (1.0, SUPPORTED)])
def test_less_than_a_day_says_nothing_about_a_week(days: float, verdict: Verdict):
    equal = replace(AVERAGE, days=1.0)
    agent_ = Agent("an agent", side(9, 90, drawn(70.0), days=days), (equal,))
    assert held("one-agent-over-users", replace(NOTHING, agent=agent_)).verdict == verdict


@pytest.mark.parametrize(
    ("person_days", "most", "verdict"),
    [
        (20, 1000, SUPPORTED),
        (20, 1001, NOT_SUPPORTED),
        # One day over it is a counterexample, and a few days under it are no proof.
        (19, 1001, NOT_SUPPORTED),
        (19, 1000, NOT_ENOUGH),
    ],
)
def test_people_are_bounded_where_nobody_asks_more_than_a_thousand_times(
    person_days: int, most: int, verdict: Verdict
):
    days = PersonDays(person_days, 3, 4.0, 30.0, most, 40 * person_days)
    line = held("people-are-bounded", replace(NOTHING, person_days=days))
    assert line.verdict == verdict
    if verdict == NOT_ENOUGH:
        assert line.missing is not None
        assert line.missing.startswith("20 person-days at least")
    else:
        (prompts,) = line.intensities
        assert prompts.each is not None
        assert (prompts.each.central, prompts.volume) == (40.0, person_days)


def test_prompts_of_a_person_and_day_say_how_far_they_moved():
    # 400 prompts on 20 days of a person before, 600 on 40 now: 20 and 15 on each.
    facts = moved(side(9), side(9))
    assert isinstance(facts.moved, Moved)
    before = PersonDays(20, 3, 4.0, 30.0, 50, 400)
    facts = replace(
        facts,
        moved=replace(facts.moved, person_days_before=before),
        person_days=PersonDays(40, 3, 4.0, 30.0, 50, 600),
    )
    (prompts,) = held("people-are-bounded", facts).intensities
    assert prompts.change == Change("2026-09", total=0.5, volume=1.0, each=-0.25)


def moved(before: Side, now: Side) -> Facts:
    return replace(NOTHING, both=now, moved=Moved(now, before, "2026-10", "2026-09", "", NOBODY))


@pytest.mark.parametrize(
    ("each", "total", "expected"),
    [
        # 100 Wh for 1,000,000 tokens before: 0.1 Wh for 1,000.
        (0.031, 110.0, [SUPPORTED, SUPPORTED]),
        (0.049, 110.0, [SUPPORTED, SUPPORTED]),
        (0.029, 110.0, [NOT_SUPPORTED, SUPPORTED]),
        (0.051, 110.0, [NOT_SUPPORTED, SUPPORTED]),
        (0.04, 101.0, [SUPPORTED, SUPPORTED]),
        (0.04, 100.0, [SUPPORTED, NOT_SUPPORTED]),
        (0.04, 99.0, [SUPPORTED, NOT_SUPPORTED]),
    ],
)
def test_energy_per_token_fell_by_about_60_per_cent_and_the_total_rose(
    each: float, total: float, expected: list[Verdict]
):
    before = side(10, 1_000_000, drawn(100.0))
    now = side(10, round(1000 * total / each), drawn(total))
    line = held("per-token-fell-totals-rose", moved(before, now))
    assert verdicts(line) == expected
    assert line.verdict == (SUPPORTED if expected == [SUPPORTED] * 2 else NOT_SUPPORTED)
    assert (line.period, line.against) == ("2026-10", "2026-09")


def test_60_per_cent_less_for_a_token_and_50_per_cent_more_in_all_is_a_rebound_of_1_83():
    before, now = side(10, 1_000_000, drawn(100.0)), side(10, 3_750_000, drawn(150.0))
    line = held("per-token-fell-totals-rose", moved(before, now))
    assert line.verdict == SUPPORTED
    # 1 - (100 - 150) / (100 - 40) = 1.83
    assert line.also[0].startswith(
        "The rebound is 1.83 from 2026-09 to 2026-10 (boundary facility)"
    )
    (each,) = line.intensities
    assert each.change is not None
    assert (each.change.each, each.change.total) == (pytest.approx(-0.6), pytest.approx(0.5))


def test_a_rebound_has_a_range_where_energy_for_a_token_fell_in_each_draw():
    # 1 - (100 - 150) / (100 - 40) = 1.83, and 1 - (100 - 120) / (100 - 32) = 1.29.
    before = side(10, 1_000_000, drawn(100.0, 100.0, 100.0))
    now = side(10, 3_750_000, drawn(150.0, 150.0, 120.0))
    said = held("per-token-fell-totals-rose", moved(before, now)).also[0]
    assert said.startswith("The rebound is 1.83 (1.32 to 1.83)")  # 5 % of the way is 1.32
    now = side(10, 1_100_000, drawn(105.0, 105.0, 150.0))
    said = held("per-token-fell-totals-rose", moved(before, now)).also[0]
    assert "central; in some draws the energy for a token did not fall" in said


def test_a_change_has_a_decimal_where_a_bound_is_near():
    before = side(10, 1_000_000, drawn(100.0))
    now = side(10, 3_000_000, drawn(89.0))  # a fall by 70.3 % for a token
    (each, total) = held("per-token-fell-totals-rose", moved(before, now)).findings
    assert each.said.startswith("Energy per 1,000 tokens changed by -70.3 % from")
    assert total.said.startswith("Energy in all changed by -11 % from")


def test_a_report_on_change_says_what_one_factor_set_cannot_show():
    before, now = side(10, 1000, drawn(100.0)), side(10, 2000, drawn(150.0))
    assert "not chips or serving" in held("per-token-fell-totals-rose", moved(before, now)).also[1]


@pytest.mark.parametrize(
    ("total", "calls", "verdict"),
    [
        # 100 Wh, 10 calls, 10 tasks, 10,000 tokens before; tasks and tokens go with the calls.
        (110.0, 20, SUPPORTED),  # more in all, less for each
        (90.0, 5, SUPPORTED),  # less in all, more for each
        (110.0, 10, NOT_SUPPORTED),  # more in all and for each
        (90.0, 10, NOT_SUPPORTED),  # less in all and for each
        (100.0, 20, NOT_SUPPORTED),  # as much in all
    ],
)
def test_a_figure_per_unit_misleads_where_it_moves_against_the_total(
    total: float, calls: int, verdict: Verdict
):
    before = side(10, 10_000, drawn(100.0), tasks=10)
    now = side(calls, 1000 * calls, drawn(total), tasks=calls)
    line = held("per-unit-misleads", moved(before, now))
    assert verdicts(line) == [verdict] * 3
    assert line.verdict == verdict
    assert [one.per for one in line.intensities] == ["call", "task", "1,000 tokens"]


def test_one_figure_per_unit_that_misleads_is_enough():
    before = side(10, 10_000, drawn(100.0), tasks=10)
    now = side(20, 10_000, drawn(110.0), tasks=10)
    line = held("per-unit-misleads", moved(before, now))
    assert verdicts(line) == [SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED]
    assert line.verdict == SUPPORTED


def test_draws_that_disagree_on_the_direction_are_not_enough():
    # The total rises in one draw and falls in the other; twice the calls bring each down in both.
    before = side(10, 10_000, drawn(100.0, 100.0, 100.0), tasks=10)
    now = side(20, 20_000, drawn(110.0, 90.0, 130.0), tasks=20)
    assert held("per-unit-misleads", moved(before, now)).verdict == NOT_ENOUGH


@pytest.mark.parametrize("id_", ["per-token-fell-totals-rose", "per-unit-misleads"])
def test_of_models_without_usage_no_change_is_said(id_: str):
    line = held(id_, moved(side(10), side(20)))
    assert line.verdict == NOT_ENOUGH
    assert "the energy or the tokens of one period are not known" in line.findings[0].said


def matched(annual: float, hourly: float, free: float = 100.0, by_hour: float = 100.0) -> MatchLine:
    """Return 100 Wh of load beside *free* Wh of certificates, *by_hour* of them with an hour."""
    return MatchLine(
        zone="DE",
        year=2026,
        energy_wh=100.0,
        bought_wh=free,
        carbon_free_wh=free,
        carbon_free_hourly_wh=by_hour,
        location_g=1.0,
        market_g=1.0,
        residual_g_per_kwh=1.0,
        residual_source=None,
        annual_match=annual,
        hourly_match=hourly,
        cfe_score=None,
        cfe_known_share=0.0,
    )


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (matched(1.0, 0.98), SUPPORTED),
        (matched(1.0, 0.995), NOT_SUPPORTED),
        (matched(1.0, 1.0), NOT_SUPPORTED),
        (matched(1.0, 0.0), SUPPORTED),
        # 50 Wh without an hour may match 50 % of the load, or none of it.
        (matched(1.0, 0.4, by_hour=50.0), SUPPORTED),
        (matched(1.0, 0.5, by_hour=50.0), NOT_ENOUGH),
        (matched(1.0, 0.0, by_hour=0.0), NOT_ENOUGH),
    ],
)
def test_the_year_hides_hours_where_more_than_1_per_cent_is_unmatched(
    line: MatchLine, verdict: Verdict
):
    assert held("annual-hides-hours", replace(NOTHING, matching=(line,))).verdict == verdict


def test_certificates_without_an_hour_ask_for_it():
    line = held("annual-hides-hours", replace(NOTHING, matching=(matched(1.0, 0.0, by_hour=0.0),)))
    assert line.findings[0].value == Range(0, 1, 1)
    assert line.missing is not None
    assert line.missing.startswith("the hour in which certificates were made")


@pytest.mark.parametrize(
    ("worst", "verdict"),
    [
        (drawn(20.0, 20.0, 20.0), SUPPORTED),
        (drawn(19.9, 19.9, 19.9), NOT_SUPPORTED),
        (drawn(20.0, 15.0, 30.0), NOT_ENOUGH),
    ],
)
def test_hardware_differs_widely_where_the_worst_takes_twice_the_best(
    worst: Drawn, verdict: Verdict
):
    facts = replace(
        NOTHING,
        both=side(7),
        variants=(
            Variant("h100", 8, worst),
            Variant("h100", 2048, drawn(12.0, 12.0, 12.0)),
            Variant("b200", 2048, drawn(10.0, 10.0, 10.0)),
        ),
    )
    line = held("hardware-differs", facts)
    assert line.verdict == verdict
    assert "h100 in batches of 8" in line.findings[0].said
    assert "b200 in batches of 2,048" in line.findings[0].said


@pytest.mark.parametrize(
    ("training", "verdict"),
    [
        (0.12, NOT_SUPPORTED),
        (0.1301, SUPPORTED),
        (0.15, SUPPORTED),
        (0.1699, SUPPORTED),
        (0.18, NOT_SUPPORTED),
        (0.0, NOT_SUPPORTED),
        (1.0, NOT_SUPPORTED),
    ],
)
def test_inference_is_what_training_leaves_as_the_user_says(training: float, verdict: Verdict):
    facts = replace(NOTHING, both=side(7, 70, drawn(85.0)), training_share=training)
    line = held("inference-share", facts)
    assert line.verdict == verdict
    assert line.also == ("The share is yours, and nothing that was recorded confirms it.",)


def test_a_share_of_training_says_its_energy():
    # 85 Wh are 85 % of 100 Wh.
    facts = replace(NOTHING, both=side(7, 70, drawn(85.0)), training_share=0.15)
    said = held("inference-share", facts).findings[0].said
    assert said.startswith("With 15 % for training as you say, inference is 85 %: 85 ")
    assert "beside 15 " in said


# From a store.


def reported(home: Path, asked: Asked | None = None) -> ClaimsReport:
    with Reader(home) as reader:
        return claims_report(reader, asked)


def of(report: ClaimsReport, id_: str) -> ClaimLine:
    (line,) = (line for line in report.claims if line.id == id_)
    return line


@pytest.fixture
def two_weeks(home: Path) -> Path:
    """An agent's run of 20 calls and a prompt on each of 14 days, from 2025-10-09."""
    records: list[Record] = []
    for day in range(14):
        run = task("fix", agent("coder", *(chat(input=900, output=100) for _ in range(20))))
        asked = task(
            "ask",
            chat(input=90, output=10),
            fact(user_turns=3),
            workload="user-facing",
            user_hash=f"{day % 2}",
        )
        of_day = [
            *spans(replace(run, said={"task_id": f"fix {day}"}), trace=2 * day + 1),
            *spans(replace(asked, said={**asked.said, "task_id": f"ask {day}"}), trace=2 * day + 2),
        ]
        records += later(of_day, day * DAY)
    add(home, records)
    return home


def test_the_sides_of_a_store_are_added_up(two_weeks: Path):
    report = reported(two_weeks)
    assert [(one.name, one.tasks, one.calls, one.tokens) for one in report.sides] == [
        ("all", 28, 294, 281_400),
        ("agentic", 14, 280, 280_000),
        ("user-facing", 14, 14, 1_400),
    ]
    line = of(report, "agents-over-people")
    assert [one.value for one in line.findings[:2]] == [Range(20, 20, 20), Range(200, 200, 200)]


def test_prompts_are_counted_by_person_and_day(two_weeks: Path):
    line = of(reported(two_weeks), "people-are-bounded")
    assert line.verdict == NOT_ENOUGH  # 14 person-days are less than 20
    assert line.findings[0].said.startswith(
        "2 people asked on 14 person-days: 3 prompts on the one in the middle, 3 at most on 95 % "
        "of them, 3 on the fullest"
    )


def test_without_a_period_the_halves_of_what_was_recorded_are_set_side_by_side(two_weeks: Path):
    line = of(reported(two_weeks), "per-unit-misleads")
    assert (line.against, line.period) == ("2025-10-09..2025-10-15", "2025-10-16..2025-10-22")
    assert line.verdict == NOT_SUPPORTED  # nothing changed
    assert "the later half of the 14 days" in line.also[-1]


def test_the_period_before_is_what_a_period_is_set_against(two_weeks: Path):
    report = reported(two_weeks, Asked(Selection(parse("2025-10-22"))))
    line = of(report, "per-token-fell-totals-rose")
    assert (line.period, line.against) == ("2025-10-22", "2025-10-21")
    assert report.calls == 21
    tasks = of(report, "most-calls-hidden").intensities[0]
    assert tasks.change is not None
    assert (tasks.change.against, tasks.change.total) == ("2025-10-21", 0.0)


@pytest.mark.parametrize(
    ("period", "against", "said"),
    [
        ("2025-10", "2025-10-10", "2025-10 and 2025-10-10 overlap"),
        ("all", "2025-10-10", "all recorded and 2025-10-10 overlap"),
        ("2025-10", "2025-09", "nothing was recorded in 2025-09"),
        ("2025-10", None, "nothing was recorded in 2025-09"),
    ],
)
def test_periods_that_cannot_be_set_side_by_side_leave_the_other_claims(
    two_weeks: Path, period: str, against: str | None, said: str
):
    asked = Asked(Selection(parse(period)), parse(against) if against else None)
    report = reported(two_weeks, asked)
    for id_ in ("per-token-fell-totals-rose", "per-unit-misleads"):
        line = of(report, id_)
        assert (line.verdict, line.against) == (NOT_ENOUGH, None)
        assert said in line.findings[0].said
    assert of(report, "most-calls-hidden").verdict == SUPPORTED


def test_half_of_the_calls_of_a_task_is_not_most_of_them(home: Path):
    """Of 2 calls the first is hidden, of 3 two are."""
    two, three = (task(f"t{n}", *(chat(input=9, output=1) for _ in range(n))) for n in (2, 3))
    add(home, spans(two, three))
    said = of(reported(home), "most-calls-hidden").findings[0].said
    assert "60 % of 5 calls are hidden" in said
    assert "more than half of them in 1 of 2 tasks" in said


def test_a_period_without_data_has_no_verdict(two_weeks: Path):
    report = reported(two_weeks, Asked(Selection(parse("2020"))))
    assert {line.verdict for line in report.claims} == {NOT_ENOUGH}
    assert all(
        "2020, boundary facility" in one.said for line in report.claims for one in line.findings
    )


def test_an_empty_store_has_no_verdict(home: Path):
    report = reported(home)
    assert {line.verdict for line in report.claims} == {NOT_ENOUGH}
    assert all(line.missing for line in report.claims)
    assert "NaN" not in to_json(report)


def test_one_task_is_of_one_hour_with_none_before(home: Path):
    add(home, spans(task("job", agent("lead", chat(input=900, output=10)))))
    report = reported(home)
    assert "it is of one hour" in of(report, "per-unit-misleads").findings[0].said
    assert of(report, "one-agent-over-users").verdict == NOT_ENOUGH
    assert of(report, "most-calls-hidden").verdict == NOT_SUPPORTED


def test_unknown_models_have_answers_with_wide_ranges(home: Path):
    unknown = {"provider": "acme", "model": "zorg-9"}
    add(home, spans(task("job", *(chat(input=900, output=10, **unknown) for _ in range(3)))))
    report = reported(home)
    assert of(report, "hardware-differs").findings[0].value is not None
    assert any("zorg-9" in warning for warning in report.warnings)


def test_calls_without_usage_have_no_energy(home: Path):
    add(home, spans(task("job", chat(), chat())))
    report = reported(home)
    assert report.sides[0].energy_wh is None
    assert of(report, "hardware-differs").verdict == NOT_ENOUGH
    assert of(report, "one-agent-over-users").verdict == NOT_ENOUGH


def test_the_agent_with_the_most_energy_is_tested_unless_one_is_chosen(two_weeks: Path):
    write(two_weeks, spans(task("small", chat(input=1, output=1)), trace=99))
    assert "the agent of the task fix equals" in (
        of(reported(two_weeks), "one-agent-over-users").findings[0].said
    )
    chosen = reported(two_weeks, Asked(Selection(task_name="small")))
    assert "the agent of the task small" in of(chosen, "one-agent-over-users").findings[0].said
    chosen = reported(two_weeks, Asked(Selection(agent="coder")))
    said = of(chosen, "one-agent-over-users").findings[0].said
    assert "a week, the agent coder, with all else in its tasks, equals" in said


def test_certificates_of_another_hour_hide_that_hour(home: Path):
    place = {
        "cloud.region": "eu-central-1",
        "provider": "aws.bedrock",
        "model": "claude-sonnet-4-5",
    }
    add(home, spans(task("job", chat(input=1000, output=100, **place))))
    bought = home.parent / "bought.csv"
    bought.write_text("zone,hour,year,mwh,source,g_per_kwh\nDE,2025-10-09T12:00Z,,1,sun,0\n")
    import_certificates(home, bought)
    for asked in (None, Asked(Selection(parse("2025-10")))):
        line = of(reported(home, asked), "annual-hides-hours")
        assert (line.verdict, line.findings[0].value) == (SUPPORTED, Range(1, 1, 1))


def test_certificates_of_a_year_are_beside_all_calls_of_it_whatever_is_chosen(home: Path):
    """As much again ran in another month and project, so certificates of one half match a half."""
    german: dict[str, Any] = {"cloud.region": "eu-central-1", "provider": "aws.bedrock"}
    said: dict[str, Any] = {"input": 1000, "output": 100, "model": "gpt-oss-120b", **german}
    add(home, spans(task("job", chat(**said), project="desk")))
    add(home, later(spans(task("again", chat(**said)), trace=2), 30 * DAY))
    half = reported(home).sides[0].energy_wh
    assert half is not None
    mwh = half.central / 2 / 1e6
    bought = home.parent / "bought.csv"
    bought.write_text(f"zone,hour,year,mwh,source,g_per_kwh\nDE,2025-10-09T12:00Z,,{mwh!r},sun,0\n")
    import_certificates(home, bought)
    for selection in (Selection(), Selection(parse("2025-11")), Selection(project="desk")):
        line = of(reported(home, Asked(selection)), "annual-hides-hours")
        value = line.findings[0].value
        assert value is not None
        assert value.central == pytest.approx(0.5)
        assert line.period == "DE in 2025"
        assert "(all calls of DE in 2025, boundary facility)" in line.findings[0].said
    nothing = of(reported(home, Asked(Selection(parse("2024")))), "annual-hides-hours")
    assert nothing.findings[0].value is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(persona="nobody"), "there is no persona 'nobody'. Known: average"),
        (Asked(training_share=1.5), "a share of training is 0 to 1, not 1.5."),
    ],
)
def test_what_there_is_not_is_refused(home: Path, asked: Asked, said: str):
    with pytest.raises(ConfigError, match=said):
        reported(home, asked)


def test_every_sentence_on_a_comparison_says_period_and_boundary(two_weeks: Path):
    report = reported(two_weeks, Asked(training_share=0.15))
    for line in report.claims:
        for finding in line.findings:
            assert "boundary facility" in finding.said, finding.said
            assert line.period in finding.said, finding.said
            assert finding.said.endswith("."), finding.said
        for said in line.also:
            if " equal" in said:
                assert "persona" in said
                assert f"{line.period}, boundary facility" in said


def test_json_has_every_field_of_a_claim(two_weeks: Path):
    text = to_json(reported(two_weeks))
    for field in dataclasses.fields(ClaimLine):
        assert f'"{field.name}":' in text
