"""The judge finds out a tracer that loses, doubles, swaps or makes up."""

from typing import Any

import pytest

from agenttrace.conformance.judge import MEASURES, Cell, State, judge
from agenttrace.conformance.tracers import Row
from agenttrace.conformance.truth import Call, Owner
from agenttrace.testing import Tokens


def owner(task: str | None = "t", run: str = "", agent: str | None = "a", **more: Any) -> Owner:
    return Owner(task=task, run=run, agent=agent, **({"role": "main", "visible": None} | more))


def call(response_id: str | None = "r1", **more: Any) -> Call:
    usual: dict[str, Any] = {
        "model": "m",
        "status": 200,
        "billed": True,
        "tokens": Tokens(input_tokens=10, output_tokens=4),
        "says_input": True,
        "says_output": True,
        "owner": owner(),
    }
    return Call(response_id=response_id, **(usual | more))


def row(response_id: str | None = "r1", **more: Any) -> Row:
    usual: dict[str, Any] = {
        "model": "m",
        "task_id": "1",
        "task": "t",
        "agent": "a",
        "role": "main",
        "visible": False,
        "http_status": 200,
        "input_tokens": 10,
        "output_tokens": 4,
    }
    return Row(response_id=response_id, **(usual | more))


def refused(**more: Any) -> Call:
    return call(None, billed=False, status=0, tokens=Tokens(), says_input=False, **more)


def wrong(calls: list[Call], rows: list[Row]) -> dict[str, tuple[int, int]]:
    cells = judge(calls, rows)
    assert tuple(cells) == MEASURES
    return {
        name: (cell.recorded, cell.expected)
        for name, cell in cells.items()
        if cell.state is State.WRONG
    }


UNTOLD: dict[str, Any] = {"says_input": False, "says_output": False}


def test_what_is_recorded_as_it_was_billed_is_exact():
    cells = judge([call("r1"), call("r2")], [row("r2"), row("r1")])
    assert {name: cell for name, cell in cells.items() if cell.state is State.EXACT} == {
        "calls": Cell(State.EXACT, 2, 2),
        "duplicates": Cell(State.EXACT, 0, 0),
        "input": Cell(State.EXACT, 20, 20),
        "output": Cell(State.EXACT, 8, 8),
        "task": Cell(State.EXACT, 2, 2),
        "agent": Cell(State.EXACT, 2, 2),
        "role": Cell(State.EXACT, 2, 2),
    }
    assert {cell.state for cell in cells.values()} == {State.EXACT, State.NONE}


def test_a_call_that_is_lost_is_found_out():
    lost = {"calls": (1, 2), "input": (10, 20), "output": (4, 8)}
    places = dict.fromkeys(("task", "agent", "role"), (1, 2))
    assert wrong([call("r1"), call("r2")], [row("r2")]) == lost | places


@pytest.mark.parametrize("response_id", ["r1", None, "an id of the tracer's own"])
def test_a_call_that_is_recorded_twice_is_found_out(response_id: str | None):
    assert wrong([call()], [row(), row(response_id)]) == {"duplicates": (1, 0)}


def test_a_call_that_nobody_made_is_found_out():
    assert wrong([call()], [row(), row(None, model="other")]) == {"duplicates": (1, 0)}


def test_two_tasks_that_are_swapped_are_found_out():
    calls = [call("r1", owner=owner("x")), call("r2", owner=owner("y"))]
    assert wrong(calls, [row("r1", task="y"), row("r2", task="x")]) == {"task": (0, 2)}


def test_two_runs_of_a_task_that_share_an_id_are_found_out():
    calls = [call("r1", owner=owner(run="1")), call("r2", owner=owner(run="2"))]
    assert wrong(calls, [row("r1", task_id="1"), row("r2", task_id="1")]) == {"task": (1, 2)}
    assert wrong(calls, [row("r1", task_id="1"), row("r2", task_id="2")]) == {}


def test_one_task_that_falls_into_two_is_found_out():
    assert wrong([call("r1"), call("r2")], [row("r1"), row("r2", task_id="2")]) == {"task": (1, 2)}


def test_a_call_outside_of_every_task_belongs_to_none():
    calls = [call(owner=owner(task=None, agent=None))]
    assert wrong(calls, [row(task=None, agent=None)]) == {}
    assert wrong(calls, [row(task="t", agent=None)]) == {"task": (0, 1)}


@pytest.mark.parametrize(
    ("field", "value", "measure"),
    [("agent", "b", "agent"), ("agent", None, "agent"), ("role", "tool", "role")],
)
def test_a_call_in_the_wrong_place_is_found_out(field: str, value: str | None, measure: str):
    assert wrong([call()], [row(**{field: value})]) == {measure: (0, 1)}


def test_what_is_hidden_is_judged_where_the_program_says_what_is_read():
    shown = [call(owner=owner(visible=True))]
    assert wrong(shown, [row(visible=False)]) == {"visible": (0, 1)}
    assert wrong(shown, [row(visible=True)]) == {}
    assert wrong([call(owner=owner(visible=False))], [row(visible=True)]) == {"visible": (0, 1)}
    assert judge([call()], [row(visible=True)])["visible"].state is State.NONE


@pytest.mark.parametrize("kind", ["input", "output", "cache_read", "cache_write", "reasoning"])
def test_a_token_too_many_is_found_out_in_each_kind(kind: str):
    true = {f"{kind}_tokens": 5}
    assert wrong([call(tokens=Tokens(**true))], [row(**{f"{kind}_tokens": 6})])[kind] == (6, 5)


def test_errors_of_two_calls_do_not_cancel_out():
    rows = [row("r1", input_tokens=9), row("r2", input_tokens=11)]
    assert wrong([call("r1"), call("r2")], rows) == {"input": (20, 20)}


def test_an_estimate_counts_where_the_provider_says_nothing_and_it_is_marked():
    cells = judge([call(**UNTOLD)], [row(estimated=True, output_tokens=5)])
    assert cells["input"].state is cells["output"].state is State.ESTIMATED
    assert cells["output"].error == pytest.approx(0.25)


def test_a_guess_that_is_not_marked_is_found_out():
    assert wrong([call(**UNTOLD)], [row(output_tokens=5)]) == {"output": (5, 4)}


def test_an_estimate_of_what_the_provider_said_is_found_out():
    rows = [row(estimated=True, input_tokens=11)]
    assert wrong([call(says_output=False)], rows) == {"input": (11, 10)}


def test_what_nobody_says_is_unknown_and_not_zero():
    said = judge([call(**UNTOLD)], [row(input_tokens=None, output_tokens=None)])
    assert said["input"].state is said["output"].state is State.UNSAID
    assert wrong([call(**UNTOLD)], [row(input_tokens=0, output_tokens=0)]) == {
        "input": (0, 10),
        "output": (0, 4),
    }


def test_a_refused_attempt_may_be_recorded_and_need_not():
    calls = [refused(), call()]
    failed = row(None, failed=True, http_status=429, input_tokens=None, output_tokens=None)
    assert wrong(calls, [failed, row()]) == {}
    assert wrong(calls, [row()]) == {}
    assert wrong(calls, [failed, failed, row()]) == {"duplicates": (1, 0)}


def test_a_billed_attempt_that_failed_has_to_be_there():
    calls = [call(None, status=500, **UNTOLD), call()]
    failed = row(None, failed=True, http_status=500, input_tokens=None, output_tokens=None)
    assert "calls" not in wrong(calls, [failed, row()])
    assert wrong(calls, [row()])["calls"] == (1, 2)


def test_calls_without_an_id_are_told_apart_by_their_tokens():
    one, other = Tokens(input_tokens=3), Tokens(input_tokens=5)
    calls = [
        call(None, tokens=one, owner=owner("x")),
        call(None, tokens=other, owner=owner("y")),
    ]
    rows = [
        row(None, input_tokens=5, output_tokens=None, task="y", task_id="2"),
        row(None, input_tokens=3, output_tokens=None, task="x", task_id="1"),
    ]
    assert wrong(calls, rows) == {}


def test_a_tracer_that_knows_no_roles_is_not_judged_by_them():
    cells = judge([call(owner=owner(visible=True))], [row(role=None, visible=None)])
    assert cells["role"].state is cells["visible"].state is State.NONE
