"""What is read of Claude Code: each trap of its logs has a corpus, and its totals are here."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from agenttrace import semconv
from agenttrace.sources.agents import claude_code, source
from agenttrace.sources.importing import Imported
from agenttrace.sources.source import User
from tests.sources.logs import CORPORA, imported, records, totals

CLAUDE_CODE = CORPORA / "claude_code"
# As the columns of `counts` below: input with the cache, output, cache read, cache write.
KEYS = (
    semconv.INPUT_TOKENS,
    semconv.OUTPUT_TOKENS,
    semconv.CACHE_READ_TOKENS,
    semconv.CACHE_WRITE_TOKENS,
)


def _imported(trap: str, home: Path) -> Imported:
    return imported("claude-code", CLAUDE_CODE / trap, home)


def _calls(home: Path) -> dict[str, dict[str, Any]]:
    """The calls by their id, ``msg_`` left out."""
    return {_name(call): call for call in records(home, "inference")}


def _name(call: dict[str, Any]) -> str:
    named = str(call.get(semconv.RESPONSE_ID) or call[semconv.REQUEST_ID])
    return named.removeprefix("msg_")


def _counts(home: Path) -> dict[str, tuple[Any, ...]]:
    return {key: tuple(call.get(one) for one in KEYS) for key, call in _calls(home).items()}


def _said(home: Path, key: str) -> dict[str, Any]:
    return {name: call.get(key) for name, call in _calls(home).items()}


def _sums(home: Path) -> tuple[int, ...]:
    """Tasks, calls, input and output; what a store says too, at a hundred times the price."""
    calls = records(home, "inference")
    tokens = (sum(call.get(key, 0) for call in calls) for key in KEYS[:2])
    return len({call[semconv.TASK_ID] for call in calls}), len(calls), *tokens


def test_one_line_per_content_block_is_one_call(home: Path) -> None:
    done = _imported("one_line_per_content_block", home)

    assert (done.files, done.calls, done.turns, done.skipped) == (1, 2, 1, {})
    assert _counts(home) == {"1": (1210, 50, 1000, 200), "2": (1205, 20, 1200, 0)}
    assert _sums(home) == (1, 2, 2415, 70)


def test_the_line_with_the_highest_output_counts_whole(home: Path) -> None:
    # A placeholder, one by another model, the truth, and a copy with more input and less output.
    _imported("placeholder_first", home)

    (call,) = records(home, "inference")
    assert _counts(home) == {"1": (912, 700, 900, 0)}
    assert call[semconv.RESPONSE_MODEL] == "claude-opus-4-5-20251101"
    assert call["end_ns"] - call["start_ns"] == 5 * 10**9


def test_what_a_resumed_or_forked_session_copies_counts_once_where_it_happened(home: Path) -> None:
    done = _imported("copied_by_a_resumed_session", home)

    assert (done.calls, done.repeated) == (2, 1)
    assert _said(home, semconv.CONVERSATION_ID) == {"1": "s1", "2": "s2"}
    assert _sums(home) == (2, 2, 17, 80)


def test_a_sub_agent_that_never_got_its_final_usage_is_incomplete(home: Path) -> None:
    _imported("subagent_without_final_usage", home)

    assert _said(home, semconv.OUTCOME) == {"1": "complete", "2": "incomplete", "3": "complete"}
    assert _said(home, semconv.ROLE) == {"1": "main", "2": "subagent", "3": "subagent"}
    assert _sums(home) == (1, 3, 632, 91)  # 10 + 320 + 302


def test_sub_agents_in_nested_files_count_and_agents_of_two_sessions_are_two(home: Path) -> None:
    done = _imported("nested_subagents", home)

    assert (done.files, done.calls, done.turns, done.skipped) == (7, 8, 3, {})
    assert _said(home, semconv.AGENT_DEPTH) == {
        "1": 1, "2": 1, "3": 2, "4": 3, "5": 4, "6": 2, "7": 1, "8": 2,
    }  # fmt: skip
    agents = records(home, "agent")
    assert len({agent["span_id"] for agent in agents}) == 5
    assert totals(home) == (3, 8, 255, 2550)


def test_the_tree_follows_agents_and_their_parents(home: Path) -> None:
    _imported("nested_subagents", home)

    name = {agent["span_id"]: agent[semconv.AGENT_NAME] for agent in records(home, "agent")}
    first = {
        agent[semconv.AGENT_NAME]: agent
        for agent in records(home, "agent")
        if agent[semconv.AGENT_DEPTH] != 1 or agent[semconv.AGENT_NAME] == "workflow"
    }
    tasks = {task["span_id"]: task for task in records(home, "task")}
    assert name[first["Plan"]["parent_span_id"]] == "Explore"  # Its tool was asked for there.
    assert name[first["Explore"]["parent_span_id"]] == "Plan"  # As the file beside it says.
    begun = tasks[first["workflow"]["parent_span_id"]]["start_ns"]
    assert begun == min(task["start_ns"] for task in tasks.values()) + 100 * 10**9
    calls = _calls(home)
    assert name[calls["5"]["parent_span_id"]] == "Explore"
    assert calls["5"][semconv.TASK_ID] == calls["1"][semconv.TASK_ID]  # a3 names no prompt.


def test_sub_agents_within_the_transcript_of_the_session_are_sub_agents(home: Path) -> None:
    done = _imported("sidechain_in_the_same_file", home)

    assert (done.calls, done.turns) == (3, 1)
    assert _said(home, semconv.ROLE) == {"1": "main", "2": "subagent", "3": "main"}
    assert _sums(home) == (1, 3, 60, 210)


def test_a_side_question_repeats_messages_and_adds_its_own(home: Path) -> None:
    _imported("side_question", home)

    assert _said(home, semconv.REQUEST_ID) == {
        "1": "req_msg_1",
        "2": "req_btw2",
        "3": "req_msg_3",
    }
    assert _said(home, semconv.ROLE) == {"1": "main", "2": "subagent", "3": "other"}
    assert _sums(home) == (1, 3, 17, 67)


def test_what_tool_results_and_notifications_repeat_is_never_added(home: Path) -> None:
    done = _imported("repeated_by_tool_results", home)

    assert (done.calls, done.turns) == (2, 1)
    assert _sums(home) == (1, 2, 15, 56)


def test_advice_is_a_call_of_its_own_and_the_other_iterations_are_not(home: Path) -> None:
    _imported("advisor", home)

    # The iterations of type message are the message: 1 + 1 = 2, 100 + 200 = 300, 20 + 30 = 50.
    assert _counts(home) == {
        "1": (302, 50, 300, 0),
        "1:1": (159419, 800, 0, 0),
        "2": (7, 9, 0, 0),
    }
    assert _said(home, semconv.RESPONSE_MODEL)["1:1"] == "claude-opus-4-8"
    assert _said(home, semconv.ROLE)["1:1"] == "other"


def test_cache_writes_for_an_hour_are_told_apart(home: Path) -> None:
    _imported("one_hour_cache_writes", home)

    assert _counts(home) == {"1": (1310, 50, 1000, 300), "2": (104, 2, 3, 100)}
    assert _said(home, semconv.CACHE_WRITE_1H_TOKENS) == {"1": 100, "2": 60}


def test_background_calls_leave_nothing_but_compaction_by_an_agent(home: Path) -> None:
    done = _imported("background_calls", home)

    # Neither the summary of what was compacted nor what Claude Code adds is a prompt.
    assert (done.calls, done.turns, done.skipped) == (3, 1, {})
    assert _said(home, semconv.ROLE) == {"1": "main", "2": "main", "3": "compaction"}
    assert _sums(home) == (1, 3, 16033, 1010)


def test_synthetic_messages_are_no_calls_and_errors_keep_their_code(home: Path) -> None:
    _imported("synthetic", home)

    assert _counts(home) == {"1": (10, 50, 0, 0), "2": (6, 0, 0, 0)}
    assert _said(home, semconv.ERROR_TYPE) == {"1": None, "2": "server_error"}


def test_messages_nested_in_progress_are_calls_of_sub_agents(home: Path) -> None:
    done = _imported("nested_in_progress", home)

    assert (done.calls, done.skipped) == (2, {})
    assert _counts(home)["2"] == (20, 30, 0, 0)
    assert _said(home, semconv.ROLE)["2"] == "subagent"


def test_a_turn_begins_with_a_prompt_that_a_model_answers(home: Path) -> None:
    _imported("turns", home)

    keys = (semconv.USER_TURNS, semconv.HEADLESS, semconv.PROJECT, semconv.BRANCH)
    tasks = sorted(records(home, "task"), key=lambda task: task["start_ns"])
    assert [tuple(task.get(key) for key in keys) for task in tasks] == [
        (1, None, "shop", "main"),
        (1, None, "shop", "main"),  # Of a version without ids of prompts.
        (None, True, "api", "main"),  # `claude -p`, on Windows.
        (0, None, "shop", "main"),  # By a program, in a copy of the repository.
    ]
    assert len(set(_said(home, semconv.TASK_ID).values())) == 4


def test_who_answered_where_and_for_how_much_is_read(home: Path) -> None:
    _imported("model_and_place", home)

    assert _said(home, semconv.PROVIDER_NAME) == {
        "1": "anthropic",
        "bdrk_2": "aws.bedrock",
        "3": None,
        "req_only": "anthropic",
    }
    assert _said(home, semconv.CLOUD_REGION)["1"] == "us"
    assert _said(home, semconv.COST_USD)["1"] == 0.25
    assert _said(home, semconv.REASONING_TOKENS)["req_only"] == 15
    assert _sums(home) == (1, 4, 10, 100)


def test_what_claude_code_adds_up_itself_is_kept_and_not_counted(home: Path) -> None:
    done = _imported("own_totals", home)

    assert done.calls == 1
    facts = records(home, "fact")
    assert [
        (fact[semconv.RESPONSE_MODEL], fact[semconv.INPUT_TOKENS], fact[semconv.OUTPUT_TOKENS])
        for fact in facts
    ] == [("claude-opus-4-5-20251101", 1, 10), ("claude-haiku-4-5-20251001", 902, 13)]
    assert _sums(home) == (1, 1, 1, 10)


def test_bad_input_is_named_and_the_rest_is_imported(home: Path) -> None:
    done = _imported("bad_input", home)

    assert done.skipped == {
        "a count that cannot be (input_tokens)": 1,
        "a count that cannot be (output_tokens)": 1,
        "half a line": 1,
        "a line that is no JSON": 3,  # no JSON, no object, and one that never ends
        "record type 'brand-new-record'": 2,
    }
    assert _counts(home) == {
        "1": (None, 10, 0, 0),
        "2": (2, None, 0, 0),
        "3": (4, 40, 0, 0),
        "4": (8, 80, 0, 0),
        "5": (16, 160, 0, 0),
        "6": (32, 320, 0, 0),
        "7": (64, 640, 0, 0),
        "8": (128, 1280, 0, 0),
    }


def test_a_clock_that_jumps_leaves_the_time_of_the_record_before(home: Path) -> None:
    _imported("bad_input", home)

    calls = _calls(home)
    assert calls["6"]["start_ns"] == calls["7"]["start_ns"] == calls["5"]["start_ns"]


def test_what_claude_code_has_purged_stays(home: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(CLAUDE_CODE / "one_line_per_content_block", logs)
    imported("claude-code", logs, home)
    shutil.rmtree(logs)

    done = imported("claude-code", logs, home)

    assert (done.files, done.calls) == (0, 0)
    assert totals(home) == (1, 2, 2415, 70)


@pytest.mark.parametrize("trap", sorted(path.name for path in CLAUDE_CODE.iterdir()))
def test_a_log_that_is_read_line_by_line_comes_to_the_same(
    trap: str, home: Path, tmp_path: Path
) -> None:
    _imported(trap, home)
    whole = _counts(home)
    growing, other = tmp_path / "growing", tmp_path / "other"
    files = [path for path in sorted((CLAUDE_CODE / trap).rglob("*")) if path.is_file()]
    longest = 0
    for path in files:
        (growing / path.relative_to(CLAUDE_CODE / trap)).parent.mkdir(parents=True, exist_ok=True)
        longest = max(longest, path.read_bytes().count(b"\n"))
    for count in range(1, longest + 1):
        for path in files:
            lines = path.read_bytes().splitlines(keepends=True)[:count]
            (growing / path.relative_to(CLAUDE_CODE / trap)).write_bytes(b"".join(lines))
        imported("claude-code", growing, other)

    told: dict[str, tuple[Any, ...]] = {}
    for call in sorted(records(other, "inference"), key=lambda one: one.get(KEYS[1]) or 0):
        told[_name(call)] = tuple(call.get(one) for one in KEYS)
    assert told == whole


def test_logs_are_looked_for_where_claude_code_keeps_them(tmp_path: Path) -> None:
    found = list(source("claude-code").roots(User(tmp_path)))
    assert found == [
        tmp_path / ".config/claude/projects",
        tmp_path / ".claude/projects",
        tmp_path / ".config/Claude/local-agent-mode-sessions",
    ]
    mac = User(tmp_path, {"CLAUDE_CONFIG_DIR": "/one, /two/projects"}, "darwin")
    assert list(source("claude-code").roots(mac)) == [
        Path("/one/projects"),
        Path("/two/projects"),
        tmp_path / "Library/Application Support/Claude/local-agent-mode-sessions",
    ]


def test_the_desktop_program_has_its_projects_deep_inside(tmp_path: Path) -> None:
    root = tmp_path / "local-agent-mode-sessions"
    wanted = root / "a" / "b" / ".claude" / "projects" / "p" / "s.jsonl"
    for path in (wanted, root / "a" / "audit.jsonl"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert list(claude_code.SOURCE.find(root, lambda _path, _why: None)) == [wanted]
