import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.intensity import Change, Intensity, intensity
from agenttrace.report.text import intensity as text

amounts = st.floats(min_value=1e-2, max_value=1e4)


def energy(
    total: Range | None,
    volume: float | None,
    period: str = "2026-10",
    before: Intensity | None = None,
) -> Intensity:
    return intensity(
        "energy", "Wh", "task", period=period, total=total, volume=volume, before=before
    )


SEPTEMBER = energy(Range(100, 200, 400), 10, "2026-09")
"""20 Wh a task."""


def plain(shown: str) -> str:
    return shown.replace(figures.DASH, "-")


def shown(*intensities: Intensity, width: int = 80) -> list[str]:
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(text.table(intensities))
    return [plain(line.rstrip()) for line in capture.get().splitlines()]


def test_each_is_the_total_by_the_volume():
    assert (
        Intensity(
            what="energy",
            unit="Wh",
            per="task",
            period="2026-09",
            total=Range(100, 200, 400),
            volume=10,
            each=Range(10, 20, 40),
            change=None,
        )
        == SEPTEMBER
    )


@pytest.mark.parametrize(("total", "volume"), [(None, 10), (Range(1, 2, 3), None), (None, 0)])
def test_what_is_not_known_in_all_is_not_known_for_each(total: Range | None, volume: float | None):
    assert energy(total, volume).each is None


def test_none_of_them_divides_nothing():
    assert energy(Range(0, 0, 0), 0).each is None


def test_a_change_is_of_the_total_the_volume_and_each():
    # 200 to 270 Wh is +35 %, 10 to 15 tasks is +50 %, 20 to 18 Wh a task is -10 %.
    october = energy(Range(135, 270, 540), 15, before=SEPTEMBER)
    assert october.change is not None
    assert october.change.against == "2026-09"
    assert (october.change.total, october.change.volume, october.change.each) == (
        pytest.approx(0.35),
        pytest.approx(0.5),
        pytest.approx(-0.1),
    )


def test_a_period_with_nothing_in_it_changes_into_nothing():
    empty = energy(None, 0, "2026-09")
    assert energy(Range(1, 2, 3), 4, before=empty).change is None


def test_only_what_is_known_of_both_changes():
    unpriced = energy(None, 10, "2026-09")
    change = energy(Range(1, 2, 3), 20, before=unpriced).change
    assert change == Change(against="2026-09", total=None, volume=1.0, each=None)


def test_a_figure_without_its_period_is_refused():
    with pytest.raises(ValueError, match="without its period"):
        energy(Range(1, 2, 3), 4, period="")


def test_a_figure_is_set_against_the_same_figure_only():
    calls = intensity("calls", "calls", "task", period="2026-09", total=Range(9, 9, 9), volume=3)
    with pytest.raises(ValueError, match="energy per task cannot be set against calls per task"):
        energy(Range(1, 2, 3), 4, before=calls)


@given(amounts, amounts, amounts, amounts)
def test_the_changes_of_total_and_volume_explain_that_of_each(
    total: float, volume: float, total_before: float, volume_before: float
):
    before = energy(Range(total_before, total_before, total_before), volume_before, "2026-09")
    change = energy(Range(total, total, total), volume, before=before).change
    assert change is not None
    assert change.total is not None
    assert change.volume is not None
    assert change.each is not None
    assert (1 + change.volume) * (1 + change.each) == pytest.approx(1 + change.total)


def test_a_figure_is_shown_with_its_total_its_volume_and_the_changes_of_all_three():
    assert shown(energy(Range(135, 270, 540), 15, before=SEPTEMBER)) == [
        "2026-10            each              in all              of",
        "energy per task    9.0 - 18 - 36 Wh  140 - 270 - 540 Wh  15 tasks",
        "  against 2026-09  -10 %             +35 %               +50 %",
    ]


def test_without_an_earlier_period_a_line_says_why_nothing_changed():
    assert shown(SEPTEMBER)[1:] == [
        "energy per task  10 - 20 - 40 Wh  100 - 200 - 400 Wh  10 tasks",
        "no change is shown: no earlier period was chosen, or nothing is in it",
    ]


def test_long_names_of_periods_are_said_once_above():
    before = energy(Range(100, 200, 400), 10, "2026-10-01..2026-10-07")
    assert shown(energy(Range(135, 270, 540), 15, "2026-10-08..2026-10-14", before)) == [
        "2026-10-08..2026-10-14, against 2026-10-01..2026-10-07",
        "                 each              in all              of",
        "energy per task  9.0 - 18 - 36 Wh  140 - 270 - 540 Wh  15 tasks",
        "  change         -10 %             +35 %               +50 %",
    ]


def test_figures_of_two_periods_each_say_theirs():
    lines = shown(SEPTEMBER, energy(Range(135, 270, 540), 15))
    assert lines[1].startswith("energy per task, 2026-09")
    assert lines[2].startswith("energy per task, 2026-10")


def test_an_unknown_total_has_no_figure():
    assert shown(energy(None, 10))[1].split() == ["energy", "per", "task", "?", "?", "10", "tasks"]


def test_an_unknown_volume_has_no_figure():
    assert shown(energy(Range(1, 1, 1), None))[1].split()[-5:] == ["?", "1.0", "Wh", "?", "tasks"]


def test_of_none_there_is_nothing_to_divide_by():
    assert shown(energy(None, 0))[1].split()[-4:] == ["-", "?", "0", "tasks"]


def test_counts_are_not_rounded_in_all():
    calls = intensity(
        "calls", "calls", "task", period="all", total=Range(12345, 12345, 12345), volume=1000
    )
    assert shown(calls)[0].split()[:2] == ["all", "recorded"]
    assert shown(calls)[1].split()[-4:] == ["12.3", "12,345", "1,000", "tasks"]


def test_what_is_counted_in_thousands_is_shown_whole():
    tokens = intensity(
        "energy", "Wh", "1,000 tokens", period="all", total=Range(1, 2, 4), volume=1.234
    )
    assert shown(tokens, width=100)[1].split()[-2:] == ["1,234", "tokens"]


def test_a_sentence_has_all_of_it():
    assert plain(text.sentence(energy(Range(135, 270, 540), 15, before=SEPTEMBER))) == (
        "energy per task 9.0 - 18 - 36 Wh; 140 - 270 - 540 Wh in all, 15 tasks, 2026-10; "
        "+35 % in all, +50 % tasks, -10 % each; against 2026-09"
    )


def test_carbon_is_said_to_be_an_equivalent():
    carbon = intensity("carbon", "g", "call", period="2026", total=Range(1, 2, 4), volume=1)
    assert plain(text.sentence(carbon)) == (
        "carbon per call 1.0 - 2.0 - 4.0 g CO2e; 1.0 - 2.0 - 4.0 g CO2e in all, 1 call, 2026"
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"total": None},
        {"volume": None},
        {"volume": 0},
        {"period": ""},
        {"each": None},
        {"total": Range(1, float("nan"), 2)},
        {"volume": float("inf")},
    ],
)
def test_a_figure_alone_is_refused(parts: dict[str, object]):
    alone = dataclasses.replace(SEPTEMBER, **parts)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="no total, volume and period that belong together"):
        text.table([alone])
    with pytest.raises(ValueError, match="no total, volume and period that belong together"):
        text.cell(alone)


@given(amounts, amounts)
def test_no_line_is_wider_than_the_terminal(total: float, volume: float):
    one = energy(Range(total / 3, total, total * 3), volume, before=SEPTEMBER)
    assert max(map(len, shown(one))) <= 80


@given(st.sampled_from([1.0, 123.4, 812_252_994.0]), st.integers(min_value=76, max_value=120))
def test_no_word_is_cut_where_names_and_volumes_are_long(volume: float, width: int):
    wide = [
        intensity("energy", "Wh", per, period="2027", total=Range(1e3, 2e6, 3e6), volume=volume)
        for per in ("user-facing call", "task", "1,000 tokens")
    ]
    lines = shown(*wide, width=width)
    assert max(map(len, lines)) <= width
    said = " ".join(lines).split()
    many = "user-facing call" if volume == 1 else "user-facing calls"
    assert {*many.split(), "energy", "per", "task", "tokens"} <= set(said)
