"""Chats of Gemini CLI: what counts, once, and where it belongs."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.coding_agents import CODING_AGENTS
from agenttrace.sources.agents.gemini import SOURCE
from agenttrace.sources.source import User
from tests.sources import logs, worked_out

SESSION = "11111111-2222-4333-8444-555555555555"


@pytest.mark.parametrize("trap", worked_out.by_hand("gemini"))
def test_the_totals_are_those_worked_out_by_hand(trap: str) -> None:
    worked_out.check("gemini", trap)


@pytest.mark.parametrize(
    ("trap", "total"),
    [
        ("subagents_have_files_of_their_own", (2, 4, 3700, 120)),
        ("an_older_document", (2, 2, 2200, 90)),
    ],
)
def test_what_is_told_reaches_the_store_once(
    trap: str, total: tuple[int, ...], tmp_path: Path
) -> None:
    logs.imported("gemini", logs.CORPORA / "gemini" / trap, tmp_path)

    again = logs.imported("gemini", logs.CORPORA / "gemini" / trap, tmp_path)

    assert (again.calls, again.unreadable) == (0, {})
    assert logs.totals(tmp_path) == total


def test_a_message_that_is_said_again_is_what_it_was_said_last() -> None:
    told = worked_out.told("gemini", "a_message_is_said_again")

    assert [(call.turn, call.usage.output_tokens) for call in told.calls] == [
        ("u1", 50),
        ("u2", 40),
    ]


def test_calls_before_a_rewind_stay_in_their_turn() -> None:
    told = worked_out.told("gemini", "a_rewind_unmakes_no_call")

    assert [call.turn for call in told.calls] == ["u1", "u2", "u3"]


def test_a_subagent_belongs_to_the_prompt_that_was_under_way() -> None:
    told = worked_out.told("gemini", "subagents_have_files_of_their_own")

    agent = told.agents["sub-12345678"]
    assert (agent.session, agent.turn) == (SESSION, "u2")
    assert [(call.role, call.turn, call.depth) for call in told.calls] == [
        ("main", "u1", 1),
        ("main", "u2", 1),
        ("subagent", "u2", 2),
        ("subagent", "u2", 2),
    ]


def test_what_never_reaches_the_file_is_named_with_the_way_to_get_it() -> None:
    gemini = CODING_AGENTS["gemini"]

    assert gemini.lacks is not None
    assert "10 of the 12 roles" in gemini.lacks
    assert gemini.way is not None


def test_bad_counts_are_unknown_and_what_is_skipped_is_named() -> None:
    told = worked_out.told("gemini", "bad_counts_and_unknown_types")

    assert [(call.usage.input_tokens, call.usage.output_tokens) for call in told.calls] == [
        (1000, None),
        (700, 10),
    ]
    assert told.skipped == {
        "a token count below zero, absurd or no whole number": 1,
        "record type 'oracle'": 1,
        "a record that is no JSON object": 1,
    }


@pytest.mark.parametrize(("folder", "project"), [("shop", "shop"), ("f" * 64, None)])
def test_the_project_is_its_folder_unless_that_is_a_hash(folder: str, project: str | None) -> None:
    path = Path("tmp", folder, "chats", "session-1.jsonl")

    told = worked_out.in_parts("gemini", path, _chat([("prompt", 1)]), [])

    assert [turn.project for turn in told.turns.values()] == [project]


def test_the_chats_are_in_the_home_folder() -> None:
    assert list(SOURCE.roots(User(Path("/home/ada")))) == [Path("/home/ada/.gemini/tmp")]


def _chat(steps: list[tuple[str, int]]) -> list[bytes]:
    """Return lines of a chat in which messages are said again with more, and rewound."""
    lines: list[dict[str, Any]] = [{"sessionId": SESSION, "kind": "main"}]
    for second, (step, tokens) in enumerate(steps):
        at = f"2026-08-21T10:00:{second:02}.000Z"
        if step == "rewind":
            lines.append({"$rewindTo": "u0"})
        elif step == "prompt":
            lines.append({"id": f"u{second}", "timestamp": at, "type": "user"})
        else:
            message = {"id": f"m{second}", "timestamp": at, "type": "gemini", "model": "gemini-3"}
            lines += [
                message | {"tokens": {"input": 100, "output": output, "cached": 0}}
                for output in ([1, tokens] if step == "twice" else [tokens])
            ]
    return [json.dumps(line).encode() + b"\n" for line in lines]


@given(
    st.lists(
        st.tuples(st.sampled_from(["prompt", "call", "twice", "rewind"]), st.integers(1, 9_999)),
        max_size=8,
    ),
    st.lists(st.integers(0, 20), max_size=4),
)
def test_any_number_of_increments_tells_what_one_does(
    steps: list[tuple[str, int]], ends: list[int]
) -> None:
    path = Path("tmp/shop/chats/session-1.jsonl")

    whole, parts = (worked_out.in_parts("gemini", path, _chat(steps), some) for some in ([], ends))

    assert parts.calls == whole.calls
    assert parts.turns == whole.turns


def test_a_message_that_is_odd_does_not_cost_the_others_of_its_document(tmp_path: Path) -> None:
    good: dict[str, Any] = {"id": "m1", "type": "gemini", "timestamp": "2026-09-21T14:13:20Z"}
    good["tokens"] = {"input": 10, "output": 5, "total": 15}
    file = tmp_path / "chats" / "session-1.json"
    logs.write_lines(file, {"sessionId": "s", "messages": ["odd", good, None]})

    done = logs.imported("gemini", file, tmp_path / "home")

    assert (done.calls, done.skipped) == (1, {"a record that is no JSON object": 2})


def test_a_control_line_inside_control_lines_ends_somewhere(tmp_path: Path) -> None:
    lines = [b'{"$set":' * depth + b"{}" + b"}" * depth + b"\n" for depth in (2, 300, 900, 100_000)]
    file = tmp_path / "chats" / "session-1.jsonl"
    file.parent.mkdir()
    file.write_bytes(b"".join(lines))

    done = logs.imported("gemini", file, tmp_path / "home")

    assert (done.files, done.calls, done.unreadable) == (1, 0, {})
