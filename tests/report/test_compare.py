"""The calls of a test start at START_NS, 2025-10-09 08:53:20 UTC.

A prompt of the persona `twin` is a call of these tests, model and all, so that nothing is unknown
of how many of one are in the other.
"""

import dataclasses
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agenttrace.compare import periods
from agenttrace.energy.pricing import Pricing
from agenttrace.errors import FactorError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.compare import CompareReport, PersonaLine, compare_report, words
from agenttrace.report.json import to_json
from agenttrace.report.overview import overview
from agenttrace.report.selection import Selection
from agenttrace.report.text import to_text
from tests.builders import Node, Record, add, agent, chat, fact, later, spans, task

DAY_S = 86_400.0
TWIN = """
[[persona]]
id = "twin"
name = "twin"
prompts_per_day = 4
input_tokens = 500
output_tokens = 300
model = "gpt-5"
mark = "assumption"
retrieved = 2026-11-23
assumption = "a prompt like a call of these tests"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "personas.toml").write_text(TWIN)
    return tmp_path / "home"


def reported(
    home: Path,
    period: str = "all",
    *personas: Path,
    project: str | None = None,
    task_name: str | None = None,
    agent: str | None = None,
    against: str | None = None,
) -> CompareReport:
    selection = Selection(periods.parse(period), None, project, task_name, agent)
    earlier = None if against is None else periods.parse(against)
    with Reader(home) as reader:
        return compare_report(reader, selection, against=earlier, personas=personas)


def call(**said: Any) -> Node:
    return chat(input=500, output=300, **said)


def agentic(number: int, calls: int, **said: Any) -> list[Record]:
    return spans(task(f"a{number}", *(call() for _ in range(calls)), **said), trace=number)


def asked(number: int, user: str | None, *, calls: int = 1, **said: Any) -> list[Record]:
    """A user-facing task of a person."""
    answered = (call() for _ in range(calls))
    return spans(
        task(f"u{number}", *answered, workload="user-facing", user_hash=user, **said),
        trace=100 + number,
    )


def line(report: CompareReport, persona: str = "twin") -> PersonaLine:
    return next(one for one in report.personas if one.persona == persona)


def shown(report: CompareReport) -> str:
    """Return what a terminal shows, without its line breaks."""
    return " ".join(to_text(report, Console(width=80, file=StringIO())).split())


def close(value: Range | None) -> object:
    return value and pytest.approx(dataclasses.astuple(value))


def test_eight_calls_are_two_days_of_somebody_who_asks_four_times(home: Path):
    """On one day they are two people. Tokens say the same: 6,400 over 4 * 800."""
    add(home, agentic(1, 8))
    found = line(reported(home, "2025-10-09"))
    assert close(found.user_days) == (2.0, 2.0, 2.0)
    assert close(found.users) == (2.0, 2.0, 2.0)
    assert (found.user_days_by_tokens, found.users_by_tokens) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("period", "days", "counted_from"),
    [
        ("2025-10", 31.0, "period"),
        ("2025-10-09", 1.0, "period"),
        ("2025-10-09T08", 1.0, "period"),
        ("2025-10-08..2025-10-11", 4.0, "period"),
        ("all", 1.0, "calls"),
    ],
)
def test_people_are_active_as_long_as_the_period_and_a_day_at_least(
    home: Path, period: str, days: float, counted_from: str
):
    add(home, agentic(1, 8))
    report = reported(home, period)
    assert (report.days.number, report.days.counted_from) == (days, counted_from)
    assert close(line(report).users) == (2 / days,) * 3
    assert line(report).users_by_tokens == pytest.approx(2 / days)


def test_where_the_period_has_no_ends_the_first_and_the_last_call_have(home: Path):
    """The call of the second task starts two days after the first of the first."""
    add(home, [*agentic(1, 4), *later(agentic(2, 4), 2 * DAY_S)])
    report = reported(home)
    assert report.days.number == pytest.approx(2.0, abs=1e-4)
    users = line(report).users
    assert users is not None
    assert dataclasses.astuple(users) == pytest.approx((1.0, 1.0, 1.0), abs=1e-4)


def test_the_overview_says_the_same_of_the_same_calls_to_the_last_digit(home: Path):
    add(home, [*agentic(1, 3), *later(agentic(2, 5), 3.3 * DAY_S)])
    with Reader(home) as reader:
        of_all = overview(reader).equivalents
    of_agents = reported(home).personas
    assert [one.persona for one in of_agents] == ["average", "twin", "heavy", "very-heavy"]
    for one, other in zip(of_agents, of_all, strict=True):
        assert (one.persona, one.user_days, one.users) == (
            other.persona,
            other.user_days,
            other.users,
        )
        assert (one.user_days_by_tokens, one.users_by_tokens) == (
            other.user_days_by_tokens,
            other.users_by_tokens,
        )


def test_only_agents_of_the_period_and_the_selection_are_compared(home: Path):
    add(home, [*agentic(1, 8, project="web"), *agentic(2, 4), *asked(1, "x")])
    add(home, later(agentic(3, 12), 40 * DAY_S))
    assert reported(home, "2025-10").totals.calls == 12
    assert reported(home, "2025-10", project="web").totals.calls == 8
    assert reported(home, "2025-10", task_name="a2").totals.calls == 4


def test_a_persona_says_its_definition_and_its_source(home: Path):
    add(home, agentic(1, 8))
    report = reported(home)
    assert line(report).definition == (
        "twin (4 prompts a day of 500 + 300 tokens, model gpt-5; assumption)"
    )
    average = line(report, "average")
    assert average.definition == (
        "average weekly ChatGPT user (3.67 prompts a day of 500 + 300 tokens, class large; "
        "How People Use ChatGPT (NBER working paper 34255), 2025; derived)"
    )
    assert (average.url, average.retrieved) == ("https://doi.org/10.3386/w34255", "2026-11-22")


def test_files_of_personas_lie_over_those_of_the_home(home: Path, tmp_path: Path):
    add(home, agentic(1, 8))
    mine = tmp_path / "mine.toml"
    mine.write_text(TWIN.replace("= 4", "= 8") + TWIN.replace('"twin"', '"busy"'))
    report = reported(home, "2025-10-09", mine)
    assert close(line(report).users) == (1.0, 1.0, 1.0)
    assert close(line(report, "busy").users) == (2.0, 2.0, 2.0)
    assert f"{mine}" not in shown(report)


def test_a_persona_without_prompts_is_an_error_that_says_which(home: Path, tmp_path: Path):
    mine = tmp_path / "mine.toml"
    mine.write_text(TWIN.replace("= 4", "= 0"))
    with pytest.raises(FactorError, match=r"mine.toml: persona 'twin' .* Give prompts_per_day abo"):
        reported(home, "all", mine)


def test_a_persona_on_an_unknown_model_is_said(home: Path, tmp_path: Path):
    add(home, agentic(1, 1))
    mine = tmp_path / "mine.toml"
    mine.write_text(TWIN.replace('"gpt-5"', '"zorg-9"'))
    report = reported(home, "all", mine)
    assert report.warnings == (
        "persona twin names model zorg-9, which is not in the catalogue: its range spans every "
        "class",
    )
    assert line(report).model_class == "unknown"


def test_agents_are_set_beside_the_own_users_with_the_same_draws(home: Path):
    """Six calls over two of the same size: three times in calls, tokens and energy, exactly."""
    add(home, [*agentic(1, 6), *asked(1, "x"), *asked(2, "y")])
    found = reported(home, "2025-10").user_facing
    assert found is not None
    assert (found.ratios.calls, found.ratios.tokens) == (3.0, 3.0)
    assert close(found.ratios.energy) == (3.0, 3.0, 3.0)
    assert found.totals.energy_wh is not None
    assert found.totals.energy_wh.high > 2 * found.totals.energy_wh.low


def test_people_are_counted_once_and_on_each_day(home: Path):
    """X asks on two days, y on one, somebody else once; of two days x has three prompts in all."""
    add(home, [*agentic(1, 6), *asked(1, "x"), *asked(2, "x"), *asked(3, "y"), *asked(4, None)])
    add(home, later(asked(5, "x"), DAY_S))
    # Of another month, and of an agent that x has started: neither is one of these.
    add(home, [*later(asked(6, "x"), 40 * DAY_S), *agentic(7, 1, user_hash="x")])
    report = reported(home, "2025-10")
    found = report.user_facing
    assert found is not None
    assert (found.tasks, found.prompts, found.uncounted_tasks) == (5, 5, 0)
    assert (found.people, found.unnamed_tasks, found.person_days) == (2, 1, 3)
    # Of the tasks that say who: four prompts, four calls, 3,200 tokens on three person-days.
    assert [(one.what, one.per, one.volume, one.period) for one in found.each] == [
        (what, "person-day", 3, "2025-10") for what in ("prompts", "calls", "tokens", "energy")
    ]
    assert [one.each and one.each.central for one in found.each[:3]] == pytest.approx(
        [4 / 3, 4 / 3, 3200 / 3]
    )
    energy = found.each[3]
    assert energy.total is not None
    assert found.totals.energy_wh is not None
    assert energy.total.central == pytest.approx(found.totals.energy_wh.central * 4 / 5)
    assert report.missing == (
        "Who prompted is not told by 1 of 5 user-facing tasks in 2025-10 (31 days): "
        '`agenttrace.task(user="...")` keeps a keyed hash of it.',
    )


def test_prompts_are_counted_where_somebody_counted_them(home: Path):
    """One task says three prompts and another says none; the second is one."""
    add(home, [*agentic(1, 6), *asked(1, "x")])
    counted = task("c", call(), fact(user_turns=3), workload="user-facing", user_hash="x")
    add(home, spans(counted, trace=300))
    found = reported(home).user_facing
    assert found is not None
    assert (found.prompts, found.people) == (4, 1)
    assert "the traced users (1 person; 4 prompts in 2 tasks)" in shown(reported(home))


def test_users_that_nobody_names_are_unknown_and_not_none(home: Path):
    add(home, [*agentic(1, 6), *asked(1, None)])
    found = reported(home).user_facing
    assert found is not None
    assert (found.people, found.person_days, found.each) == (None, None, ())
    assert "nobody told how many; 1 prompt in 1 task" in shown(reported(home))


def test_own_users_are_those_of_the_project_whatever_agent_is_chosen(home: Path):
    add(
        home,
        [
            *spans(task("t", agent("coder", call()), project="web")),
            *asked(1, "x", project="web"),
            *asked(2, "y", project="shop"),
        ],
    )
    found = reported(home, "all", project="web", agent="coder").user_facing
    assert found is not None
    assert (found.people, found.totals.calls) == (1, 1)
    assert found.selection == "workload user-facing, project web, period all"


def test_published_figures_stand_beside_ones_own(home: Path):
    """Two tasks of three calls and one call, 3,200 tokens; a chat of two calls, 1,600."""
    add(home, [*agentic(1, 3), *agentic(2, 1), *asked(1, "x", calls=2)])
    found = {one.figure: (one.yours, one.times) for one in reported(home).published}
    assert found == {
        "agent-chat": (1.0, 1 / 4),
        "multi-agent-chat": (1.0, pytest.approx(1 / 15)),
        "swe-bench": (1600.0, pytest.approx(1600 / 4_170_000)),
        "tracelab-cached": (None, None),
        "tracelab-new": (500.0, pytest.approx(500 / 875)),
        "tracelab-output": (300.0, pytest.approx(300 / 214)),
        "tracelab-steps": (2.0, pytest.approx(2 / 8.8)),
    }


def test_input_from_a_cache_stands_beside_that_of_others(home: Path):
    """100 + 300 tokens of 2 calls are read from a cache, and 400 + 200 are not."""
    calls = (chat(input=500, output=1, cache_read=read) for read in (100, 300))
    add(home, spans(task("t", *calls)))
    found = {one.figure: one.yours for one in reported(home).published}
    assert (found["tracelab-cached"], found["tracelab-new"]) == (200.0, 300.0)


def test_every_figure_for_each_of_something_has_its_total_and_its_volume(home: Path):
    add(home, [*agentic(1, 3), *agentic(2, 1), *asked(1, "x", calls=2)])
    report = reported(home, "2025-10")
    own = report.user_facing
    assert own is not None
    found = [*report.each, *own.each, *(of for one in report.published for of in one.made_of)]
    for one in found:
        assert one.period == "2025-10"
        assert one.volume
        assert one.each == (one.total and one.total * (1 / one.volume))
    calls, tokens, energy = report.each
    assert (calls.total, calls.volume) == (Range(4, 4, 4), 2)
    assert (tokens.total, tokens.each) == (Range(3200, 3200, 3200), Range(1600, 1600, 1600))
    assert energy.total == report.totals.energy_wh


def test_calls_that_fill_a_part_of_the_period_are_said_to(home: Path):
    add(home, [*agentic(1, 8), *later(agentic(2, 1), 2 * DAY_S)])
    assert reported(home, "2025-10").warnings == (
        "calls of agents fill 2.0 days, from 2025-10-09 to 2025-10-11, of the 31 days of 2025-10, "
        "and people are taken to be active on all of them",
    )
    assert reported(home, "2025-10-09..2025-10-11").warnings == ()


def nothing() -> list[Record]:
    return []


def everything() -> list[Record]:
    return [*agentic(1, 6), *asked(1, "x"), *asked(2, None)]


def only_agents() -> list[Record]:
    return agentic(1, 6)


def only_users() -> list[Record]:
    return asked(1, "x")


def one_task() -> list[Record]:
    return agentic(1, 1)


def silent() -> list[Record]:
    return [
        *spans(task("t", chat())),
        *spans(task("u", chat(), workload="user-facing"), trace=2),
    ]


def silent_agents() -> list[Record]:
    return [*spans(task("t", chat())), *asked(1, "x")]


def silent_users() -> list[Record]:
    return [*agentic(1, 1), *spans(task("u", chat(), workload="user-facing"), trace=2)]


def unknown_models() -> list[Record]:
    one = {"model": "zorg-9"}
    return [
        *spans(task("t", call(**one))),
        *spans(task("u", call(**one), workload="user-facing"), trace=2),
    ]


def no_tokens_at_all() -> list[Record]:
    of_nothing = chat(input=0, output=0)
    return [
        *spans(task("t", of_nothing)),
        *spans(task("u", of_nothing, workload="user-facing"), trace=2),
    ]


def without_calls() -> list[Record]:
    return [*spans(task("t")), *spans(task("u", workload="user-facing"), trace=2)]


SITUATIONS = [
    nothing,
    everything,
    only_agents,
    only_users,
    one_task,
    silent,
    silent_agents,
    silent_users,
    unknown_models,
    no_tokens_at_all,
    without_calls,
]


@pytest.mark.parametrize("recorded", SITUATIONS)
def test_every_sentence_carries_persona_period_and_boundary(
    home: Path, recorded: Callable[[], list[Record]]
):
    add(home, recorded())
    # A month takes the way of an hour, and a year without calls is that of every situation.
    others = ("2025-10", "2020") if recorded in (nothing, everything) else ()
    with Reader(home, pricing=Pricing(boundary="server")) as reader:
        for period in ("all", "2025-10-09T08", *others):
            report = compare_report(reader, Selection(periods.parse(period)))
            check_sentences(report, period)
            assert report.sentences or report.missing


def check_sentences(report: CompareReport, period: str) -> None:
    text = shown(report)
    definitions = {one.definition for one in report.personas}
    for one in report.sentences:
        assert one.persona in one.text
        assert one.period in one.text
        assert one.boundary in one.text
        assert one.persona in definitions or one.persona.startswith("the traced users (")
        assert one.period.startswith("all that was recorded (" if period == "all" else period)
        assert one.boundary == report.method.boundary == "server"
        assert " ".join(one.text.split()) in text
    assert "nan" not in text.lower()
    assert json.loads(to_json(report))["kind"] == "compare"


def test_a_comparison_that_leaves_something_out_cannot_be_said():
    said = {"persona": "people", "period": "2026-10", "boundary": "facility"}
    whole = "In {period} ({boundary}) {number} {persona}."
    assert words.sentence(whole, number=3, **said).text == "In 2026-10 (facility) 3 people."
    for left_out in ("persona", "period", "boundary"):
        with pytest.raises(ValueError, match=f"says nothing without its {left_out}"):
            words.sentence(whole.replace(f"{{{left_out}}}", ""), number=3, **said)
        with pytest.raises(ValueError, match=f"says nothing without its {left_out}"):
            words.sentence(whole, number=3, **{**said, left_out: ""})


def test_braces_in_a_name_are_no_places_to_fill_in(home: Path, tmp_path: Path):
    add(home, agentic(1, 8))
    mine = tmp_path / "mine.toml"
    mine.write_text(TWIN.replace('name = "twin"', 'name = "{period} \\u001b[31m"'))
    definition = line(reported(home, "all", mine)).definition
    assert definition.startswith("{period} \N{REPLACEMENT CHARACTER}[31m (4 prompts")


def test_the_headline_is_absolute_and_then_in_people(home: Path):
    add(home, agentic(1, 8))
    report = reported(home, "2025-10-09")
    spread = "640 \N{EN DASH} 990 \N{EN DASH} 4,600"
    assert [one.text for one in report.sentences if "twin" in one.persona] == [
        f"In 2025-10-09 (1 day) the agents used {spread} mWh (facility): as much as 2.0 "
        "active users of the kind twin (4 prompts a day of 500 + 300 tokens, model gpt-5; "
        "assumption), over the same days; by tokens alone as much as 2.0."
    ]
    text = shown(report)
    assert text.index("Energy") < text.index("What that equals") < text.index("calls per task")


def test_energy_that_nobody_knows_is_said_to_be_unknown(home: Path):
    add(home, silent())
    report = reported(home)
    assert report.sentences[0].text.startswith(
        "In all that was recorded (2025-10-09 08:53 UTC, taken as 1 day) the energy of the agents "
        "(facility) is not known, for no call reports its usage; so it is not known how many "
        "active users of the kind average"
    )
    assert report.sentences[-1].text == (
        "In all that was recorded (2025-10-09 08:53 UTC, taken as 1 day) the agents made 1.0 times "
        "the calls, moved an unknown number of times the tokens and used an unknown number of "
        "times the energy (facility) of the traced users (nobody told how many; 1 prompt in 1 "
        "task)."
    )


def test_without_user_facing_calls_it_is_said_how_to_trace_them(home: Path):
    add(home, only_agents())
    report = reported(home, "2025-10")
    assert report.user_facing is None
    assert report.missing == (
        "No user-facing call is traced in 2025-10 (31 days). To trace people's own calls, say "
        '`agenttrace.task(workload="user-facing")` around what answers them, or name its project '
        "or service in workloads.toml in the folder of the data.",
    )
    assert [one.times for one in report.published[:2]] == [None, None]


def test_without_agents_the_users_are_shown_and_nothing_is_compared(home: Path):
    add(home, only_users())
    report = reported(home)
    assert (report.sentences, report.personas, report.each, report.published) == ((), (), (), ())
    assert report.user_facing is not None
    assert dataclasses.astuple(report.user_facing.ratios) == (None, None, None)
    assert report.user_facing.each[0].volume == 1
    assert report.missing == (
        "No model call of the agents is traced in all that was recorded, so nothing is compared; "
        "calls of any kind were recorded on 2025-10-09 (UTC). A task is agentic unless something "
        "says otherwise: `agenttrace query task_workload` has what.",
    )


def test_a_period_without_data_says_when_there_is_some(home: Path):
    add(home, [*agentic(1, 1), *later(asked(1, "x"), 3 * DAY_S)])
    agents, users = reported(home, "2020-02").missing
    assert agents.startswith(
        "No model call of the agents is traced in 2020-02 (29 days), so nothing is compared; "
        "calls of any kind were recorded from 2025-10-09 to 2025-10-12 (UTC)."
    )
    assert users.startswith("No user-facing call is traced in 2020-02 (29 days).")


def test_an_empty_store_has_one_thing_to_say(home: Path):
    assert reported(home).missing == (
        "No model call of the agents is traced in all that was recorded, and none of anybody at "
        "any time.",
    )


def moved(report: CompareReport) -> dict[str, tuple[float | None, float | None, float | None]]:
    """Return by how much figures, their totals and their volumes changed."""
    own = report.user_facing.each if report.user_facing is not None else ()
    return {
        f"{one.what} per {one.per}": (one.change.each, one.change.total, one.change.volume)
        for one in (*report.each, *own)
        if one.change is not None
    }


def test_figures_of_a_day_are_set_against_the_day_before(home: Path):
    add(home, [*agentic(1, 2), *asked(2, "ann")])
    today = [*agentic(3, 3), *agentic(4, 6), *asked(5, "ann", calls=3)]
    add(home, later(today, DAY_S))
    report = reported(home, "2025-10-10")
    # Of 2 calls in 1 task, 9 in 2 tasks; of 1 call on 1 person-day, 3.
    assert moved(report) == {
        "calls per task": (1.25, 3.5, 1.0),
        "tokens per task": (1.25, 3.5, 1.0),
        "energy per task": (pytest.approx(1.25), pytest.approx(3.5), 1.0),
        "prompts per person-day": (0.0, 0.0, 0.0),
        "calls per person-day": (2.0, 2.0, 0.0),
        "tokens per person-day": (2.0, 2.0, 0.0),
        "energy per person-day": (pytest.approx(2.0), pytest.approx(2.0), 0.0),
    }
    assert moved(reported(home, "2025-10-10", against="2025-10-09")) == moved(report)


def test_nothing_changed_from_a_day_without_calls_or_from_one_that_overlaps(home: Path):
    add(home, agentic(1, 2))
    assert moved(reported(home, "2025-10-09")) == {}
    both = reported(home, "2025-10-09", against="2025-10-09..2025-10-10")
    assert moved(both) == {}
    assert any("overlap from 2025-10-09" in said for said in both.warnings)
