"""What an agent prints as its result is read, and nothing else of it."""

import json

import pytest

from agenttrace.launch import results
from agenttrace.launch.results import Results
from agenttrace.sources.told import Total

CLAUDE = {
    "type": "result",
    "session_id": "s1",
    "modelUsage": {
        "claude-opus-4-5": {
            "inputTokens": 4,
            "outputTokens": 13,
            "cacheReadInputTokens": 100,
            "cacheCreationInputTokens": 20,
            "thinkingTokens": 5,
            "costUSD": 0.25,
        }
    },
}


def _taken(agent: str, *lines: object) -> tuple[Total, ...]:
    taken = Results(agent)
    for line in lines:
        taken.take(line if isinstance(line, bytes) else json.dumps(line).encode())
    return taken.totals


def _counts(total: Total) -> tuple[str | None, int | None, int | None]:
    return (total.model, total.usage.input_tokens, total.usage.output_tokens)


def test_model_usage_of_claude_excludes_the_cache_from_its_input():
    [total] = _taken("claude-code", CLAUDE)
    # 4 + 100 read + 20 written.
    assert _counts(total) == ("claude-opus-4-5", 124, 13)
    assert (total.usage.cache_read_tokens, total.usage.cache_write_tokens) == (100, 20)
    assert (total.usage.reasoning_tokens, total.cost_usd) == (5, 0.25)
    assert (total.source, total.session, total.capture) == ("claude-code", "s1", "result")


@pytest.mark.parametrize(
    "lines",
    [
        [CLAUDE],
        [[{"type": "system", "session_id": "s1"}, CLAUDE]],
        [{"type": "assistant", "message": {"usage": {"input_tokens": 9}}}, CLAUDE],
    ],
)
def test_json_streamed_json_and_verbose_json_say_the_same(lines: list[object]):
    assert list(map(_counts, _taken("claude-code", *lines))) == [("claude-opus-4-5", 124, 13)]


def test_turn_completed_of_codex_is_a_sum_so_the_largest_counts():
    totals = _taken(
        "codex",
        {"type": "thread.started", "thread_id": "t1"},
        {"type": "turn.completed", "usage": {"input_tokens": 10, "output_tokens": 1}},
        {
            "type": "turn.completed",
            "usage": {"input_tokens": 30, "cached_input_tokens": 8, "output_tokens": 4},
        },
    )
    assert [(one.session, *_counts(one)) for one in totals] == [("t1", None, 30, 4)]
    assert totals[0].usage.cache_read_tokens == 8


@pytest.mark.parametrize(
    "line",
    [
        b"plain words",
        b"{",
        b"[1, 2]",
        b'{"type": "result"}',
        b'{"type": "result", "modelUsage": 7}',
        b'{"type": "result", "modelUsage": {"m": 1}}',
        b'{"type": {"deep": []}}',
        b"\xff\xfe{",
        b"[" * 100_000,
        b'{"a": ' * 100_000,
    ],
)
def test_what_is_no_result_is_let_go(line: bytes):
    assert _taken("claude-code", line) == ()


def test_counts_that_are_absurd_are_unknown():
    wrong = {"type": "turn.completed", "usage": {"input_tokens": -1, "output_tokens": "many"}}
    [total] = _taken("codex", wrong)
    assert _counts(total) == (None, None, None)


@pytest.mark.parametrize(
    ("agent", "command", "is_told"),
    [
        ("claude-code", "claude -p hi --output-format json", True),
        ("claude-code", "claude --print hi --output-format=stream-json", True),
        ("claude-code", "claude -p hi", False),
        ("claude-code", "claude --output-format json", False),
        ("claude-code", "claude -p --output-format", False),
        ("codex", "codex exec --json hi", True),
        ("codex", "codex exec hi", False),
        ("gemini", "gemini --output-format json -p hi", False),
        (None, "python --json exec", False),
    ],
)
def test_only_a_result_that_was_asked_for_is_looked_for(
    agent: str | None, command: str, is_told: bool
):
    assert results.is_told(agent, command.split()) is is_told
