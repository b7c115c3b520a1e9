"""Chats of Qwen Code: what counts, once, and where it belongs."""

from pathlib import Path

import pytest

from agenttrace.sources.agents.qwen import SOURCE
from agenttrace.sources.source import User
from tests.sources import logs, worked_out


@pytest.mark.parametrize("trap", worked_out.by_hand("qwen"))
def test_the_totals_are_those_worked_out_by_hand(trap: str) -> None:
    worked_out.check("qwen", trap)


def test_what_is_told_reaches_the_store_once(tmp_path: Path) -> None:
    corpus = logs.CORPORA / "qwen" / "a_branch_copies_its_records"
    logs.imported("qwen", corpus, tmp_path)

    assert logs.imported("qwen", corpus, tmp_path).calls == 0
    assert logs.totals(tmp_path) == (2, 2, 2200, 90)


def test_a_subagent_belongs_to_the_prompt_that_its_records_name() -> None:
    told = worked_out.told("qwen", "subagents_have_files_of_their_own")

    (agent,) = told.agents.values()
    assert (agent.session, agent.turn, agent.name) == ("q-1", "u1", "Explore")
    assert [(call.role, call.agent, call.turn, call.depth) for call in told.calls] == [
        ("main", None, "u1", 1),
        ("subagent", "Explore", "u1", 2),
    ]


def test_a_turn_has_the_project_and_the_branch() -> None:
    told = worked_out.told("qwen", "thoughts_are_beside_and_the_cache_inside")

    assert [(turn.project, turn.branch) for turn in told.turns.values()] == [("shop", "basket")]


def test_bad_counts_are_unknown_and_what_is_skipped_is_named() -> None:
    told = worked_out.told("qwen", "bad_counts_and_unknown_types")

    assert [call.usage.state for call in told.calls] == ["partial"]
    assert told.skipped == {
        "a token count below zero, absurd or no whole number": 1,
        "record type 'oracle'": 1,
        "a record that is no JSON object": 1,
    }


def test_the_chats_are_in_the_home_folder() -> None:
    assert list(SOURCE.roots(User(Path("/home/ada")))) == [Path("/home/ada/.qwen/projects")]
