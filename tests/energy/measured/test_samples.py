from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.energy.measured.samples import Kind, Skipped, Span, integrate

S = 1_000_000_000


def integrated(
    *samples: tuple[float, float], kind: Kind = "power"
) -> tuple[list[Span], dict[str, int]]:
    skipped = Skipped()
    found = integrate([(round(at * S), value) for at, value in samples], kind, skipped)
    return found, skipped.counts


def span(start_s: float, end_s: float, joules: float) -> Span:
    return Span(round(start_s * S), round(end_s * S), joules)


def test_power_is_joined_by_trapezoids() -> None:
    assert integrated((0, 0), (2, 100), (4, 100)) == ([span(0, 2, 100), span(2, 4, 200)], {})


def test_a_counter_tells_differences_and_not_what_it_missed() -> None:
    found = integrated((0, 10), (2, 30), (4, 5), (6, 6), kind="counter")
    assert found == (
        [span(0, 2, 20), span(4, 6, 1)],
        {"resets of a counter, not bridged": 1},
    )


def test_a_gap_is_not_bridged() -> None:
    assert integrated((0, 10), (120, 10), (241, 10)) == (
        [span(0, 120, 1200)],
        {"gaps of more than 120 s, not bridged": 1},
    )


@pytest.mark.parametrize("value", [-1.0, 1.1e7, float("nan"), float("inf")])
def test_impossible_power_is_left_out(value: float) -> None:
    assert integrated((0, 10), (1, value), (2, 10)) == (
        [span(0, 2, 20)],
        {"negative or impossible samples": 1},
    )


def test_a_counter_that_jumps_beyond_all_power_tells_nothing_of_that_time() -> None:
    assert integrated((0, 0), (1, 1), (2, 1e9), (3, 1e9 + 1), kind="counter") == (
        [span(0, 1, 1), span(2, 3, 1)],
        {"jumps of a counter beyond all power, not bridged": 1},
    )


def test_samples_are_put_into_order_and_count_once() -> None:
    assert integrated((2, 10), (0, 10), (2, 999), (4, 10)) == (
        [span(0, 2, 20), span(2, 4, 20)],
        {"samples out of order, put into order": 1, "samples that repeat a moment": 1},
    )


def test_no_samples_are_no_windows() -> None:
    assert integrated() == ([], {})
    assert integrated((1, 1)) == ([], {})


steps = st.lists(st.tuples(st.integers(1, 3 * S), st.floats(0, 1e4)), min_size=2, max_size=30)


@given(steps)
def test_windows_hold_what_the_samples_do_and_do_not_overlap(
    steps: list[tuple[int, float]],
) -> None:
    times = list(accumulate(step for step, _ in steps))
    samples = list(zip(times, (watts for _, watts in steps), strict=True))
    found = integrate(samples, "power", Skipped())
    by_hand = sum(
        (before + after) / 2 * (end - start) / S
        for (start, before), (end, after) in pairwise(samples)
    )
    assert sum(one.joules for one in found) == pytest.approx(by_hand)
    assert all(one.end_ns <= later.start_ns for one, later in pairwise(found))
    assert all(one.end_ns - one.start_ns >= S for one in found[:-1])
