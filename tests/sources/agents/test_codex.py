"""Rollouts of Codex: what counts, once, and where it belongs."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.sources.agents.codex import SOURCE
from agenttrace.sources.source import User
from tests.sources import logs, worked_out

THREAD = "0199aaaa-0000-7000-8000-00000000000a"
SUBAGENT = "0199bbbb-0000-7000-8000-00000000000b"


@pytest.mark.parametrize("trap", worked_out.by_hand("codex"))
def test_the_totals_are_those_worked_out_by_hand(trap: str) -> None:
    worked_out.check("codex", trap)


def test_what_is_told_reaches_the_store_once(tmp_path: Path) -> None:
    corpus = logs.CORPORA / "codex" / "subagent_replays_parent"
    logs.imported("codex", corpus, tmp_path)

    again = logs.imported("codex", corpus, tmp_path)

    assert (again.unchanged, again.calls) == (2, 0)
    assert logs.totals(tmp_path) == (2, 5, 5100, 150)


@pytest.mark.parametrize("trap", ["subagent_replays_parent", "subagent_without_replay"])
def test_a_subagent_belongs_to_the_turn_of_its_parent_in_which_it_began(trap: str) -> None:
    told = worked_out.told("codex", trap)

    agent = told.agents[SUBAGENT]
    assert (agent.session, agent.turn, agent.name, agent.depth) == (THREAD, "t2", "explorer", 2)
    assert {
        (call.session, call.turn, call.role, call.agent_key, call.depth, call.model)
        for call in told.calls
        if call.agent == "explorer"
    } == {(THREAD, "t2", "subagent", SUBAGENT, 2, "gpt-5.6-mini")}


def test_a_subagent_whose_parent_is_gone_is_a_task_of_nobodys_prompt() -> None:
    told = worked_out.told("codex", "subagent_whose_parent_is_gone")

    (turn,) = told.turns.values()
    assert (turn.session, turn.turn, turn.prompts) == (THREAD, SUBAGENT, 0)


def test_the_records_of_a_subagent_say_which_turn_of_the_session_it_is_of() -> None:
    told = worked_out.told("codex", "records_of_a_subagent_name_the_root")

    assert [(call.response_id, call.session, call.turn) for call in told.calls] == [
        ("resp_1", THREAD, "t1"),
        ("resp_s", THREAD, "t1"),
    ]


@pytest.mark.parametrize("trap", ["records_and_counts_of_one_session", "count_before_its_record"])
def test_a_record_names_the_response_whether_it_comes_before_its_count_or_after(trap: str) -> None:
    told = worked_out.told("codex", trap)

    assert [call.response_id for call in told.calls] == ["resp_1", "resp_2"]


def test_a_compaction_is_known_by_its_response() -> None:
    told = worked_out.told("codex", "compaction_has_a_record_only")

    assert [(call.response_id, call.role) for call in told.calls] == [
        ("resp_1", "main"),
        ("resp_c", "compaction"),
        ("resp_2", "main"),
    ]


def test_the_total_of_a_session_is_told_beside_its_calls() -> None:
    told = worked_out.told("codex", "compaction_has_a_record_only")

    total = told.totals[THREAD].usage
    assert (total.input_tokens, total.output_tokens) == (2200, 90)


def test_the_total_of_a_fork_is_without_what_it_began_with() -> None:
    told = worked_out.told("codex", "fork_by_a_person")

    total = told.totals[SUBAGENT].usage
    assert (total.input_tokens, total.output_tokens) == (900, 30)


def test_a_model_that_is_not_said_is_not_guessed() -> None:
    told = worked_out.told("codex", "old_without_model_or_turn_ids")

    assert [(call.model, call.turn) for call in told.calls] == [(None, "1"), (None, "2")]


def test_the_reviewer_is_a_guard_whose_model_is_an_alias() -> None:
    told = worked_out.told("codex", "reviewer_behind_an_alias")

    (call,) = (call for call in told.calls if call.role == "guard")
    assert (call.model, call.request_model) == (None, "codex-auto-review")
    assert (call.session, call.turn, call.agent) == (THREAD, "t2", "guardian")


def test_a_turn_has_the_project_and_the_branch_but_not_the_prompt() -> None:
    told = worked_out.told("codex", "cached_input_is_inside_and_reasoning_too")

    turn = told.turns[THREAD, "t1"]
    assert (turn.project, turn.branch, turn.name, turn.prompts) == ("shop", "basket", None, 1)


def test_bad_counts_are_unknown_and_what_is_skipped_is_named() -> None:
    told = worked_out.told("codex", "bad_counts_and_unknown_types")

    assert [(call.usage.input_tokens, call.usage.output_tokens) for call in told.calls] == [
        (1000, None),
        (None, 40),
        (700, 10),
    ]
    assert told.skipped == {
        "a token count below zero, absurd or no whole number": 2,
        "record type 'crystal_ball'": 1,
        "a record that is no JSON object": 1,
    }


def test_codex_home_says_where_the_rollouts_are() -> None:
    elsewhere = User(Path("/home/ada"), {"CODEX_HOME": "/srv/codex"})

    assert list(SOURCE.roots(User(Path("/home/ada")))) == [Path("/home/ada/.codex")]
    assert list(SOURCE.roots(elsewhere)) == [Path("/srv/codex")]


def _line(second: int, kind: str, **payload: Any) -> bytes:
    at = f"2026-09-21T10:{second // 60:02}:{second % 60:02}.000Z"
    return json.dumps({"timestamp": at, "type": kind, "payload": payload}).encode() + b"\n"


def _rollout(steps: list[tuple[str, int]]) -> list[bytes]:
    """Return lines of a rollout in which some calls have records, and some counts come twice."""
    lines = [_line(0, "session_meta", id=THREAD, cwd="/code/shop")]
    total = 0
    for second, (step, tokens) in enumerate(steps, start=1):
        if step == "turn":
            lines.append(_line(second, "turn_context", turn_id=f"t{second}", model="gpt-5.6"))
            continue
        used = {"input_tokens": tokens, "output_tokens": 1}
        total += tokens
        so_far = {"input_tokens": total, "output_tokens": second}
        info = {"last_token_usage": used, "total_token_usage": so_far}
        count = _line(second, "event_msg", type="token_count", info=info)
        record = _line(
            second, "token_usage_record", response_id=f"r{second}", thread_id=THREAD, usage=used
        )
        lines += {
            "count": [count],
            "twice": [count, count],
            "record": [record, count],
            "late": [count, record],
        }[step]
    return lines


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["turn", "count", "twice", "record", "late"]), st.integers(1, 9_999)
        ),
        max_size=8,
    ),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_any_number_of_increments_tells_what_one_does(
    steps: list[tuple[str, int]], ends: list[int]
) -> None:
    lines = _rollout(steps)
    path = Path(f"rollout-{THREAD}.jsonl")

    whole, parts = (worked_out.in_parts("codex", path, lines, some) for some in ([], ends))

    assert parts.calls == whole.calls
    assert parts.turns == whole.turns
    assert parts.totals == whole.totals


@given(st.lists(st.tuples(st.sampled_from(["count", "twice"]), st.integers(1, 9_999)), max_size=8))
def test_counts_that_come_twice_change_nothing(steps: list[tuple[str, int]]) -> None:
    told = worked_out.in_parts("codex", Path("rollout-a.jsonl"), _rollout(steps), [])

    assert [call.usage.input_tokens for call in told.calls] == [tokens for _, tokens in steps]


def test_a_count_whose_sum_does_not_move_on_is_no_call(tmp_path: Path) -> None:
    def count(second: int, last: int) -> bytes:
        total, used = ({"input_tokens": each, "output_tokens": 1} for each in (100, last))
        info = {"total_token_usage": total, "last_token_usage": used}
        return _line(second, "event_msg", type="token_count", info=info)

    lines = [_line(0, "session_meta", id=THREAD), count(1, 100), count(2, 60)]

    told = worked_out.in_parts("codex", tmp_path / "rollout-1.jsonl", lines, [])

    assert [call.usage.input_tokens for call in told.calls] == [100]
