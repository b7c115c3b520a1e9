"""What is read of OpenClaw: files, files set aside, and a database for each agent."""

import json
from pathlib import Path
from typing import Any

from agenttrace import semconv
from agenttrace.sources import agents
from agenttrace.sources.source import User
from tests.sources.logs import (
    CORPORA,
    imported,
    records,
    tokens,
    totals,
    write_database,
    write_lines,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS transcript_events (
    session_id TEXT NOT NULL, seq INTEGER NOT NULL, event_json TEXT NOT NULL, created_at INTEGER,
    PRIMARY KEY (session_id, seq)
)
"""
_CHANGE = {"type": "model_change", "provider": "deepseek", "modelId": "deepseek-v4"}


def _answer(at_ms: int, given: int, output: int) -> dict[str, Any]:
    usage = {"input": given, "output": output}
    return {"type": "message", "message": {"role": "assistant", "usage": usage, "timestamp": at_ms}}


def _database(folder: Path, session: str, *events: dict[str, Any], first: int = 0) -> Path:
    return write_database(
        folder / "main" / "agent" / "openclaw-agent.sqlite",
        _SCHEMA,
        [
            ("transcript_events", (session, seq, json.dumps(event), 0))
            for seq, event in enumerate(events, first)
        ],
    )


def test_a_transcript_that_was_set_aside_counts_with_the_model_that_was_chosen(home: Path) -> None:
    done = imported("openclaw", CORPORA / "openclaw" / "set_aside", home)

    assert done.calls == 1
    assert tokens(home) == [(110588, 55, 108928, None, None)]  # 1660 + 108928 in
    (call,) = records(home, "inference")
    assert call[semconv.RESPONSE_MODEL] == "gpt-5.2"
    assert call[semconv.PROVIDER_NAME] == "openai"
    assert call[semconv.CONVERSATION_ID] == "0ccc"


def test_a_database_is_read_from_the_row_where_it_was_left(home: Path, tmp_path: Path) -> None:
    _database(tmp_path, "s1", _CHANGE, _answer(1790000000000, 100, 50))
    assert imported("openclaw", tmp_path, home).calls == 1
    _database(tmp_path, "s1", _answer(1790000009000, 7, 5), first=2)

    done = imported("openclaw", tmp_path, home)

    assert (done.calls, done.repeated) == (1, 0)
    assert [call[semconv.RESPONSE_MODEL] for call in records(home, "inference")] == [
        "deepseek-v4"
    ] * 2
    assert totals(home) == (1, 2, 107, 55)


def test_a_call_that_was_moved_from_a_file_to_the_database_counts_once(
    home: Path, tmp_path: Path
) -> None:
    events = [_CHANGE, _answer(1790000000000, 10, 20)]
    write_lines(tmp_path / "main" / "sessions" / "s1.jsonl", *events)
    _database(tmp_path, "s1", *({"id": f"e{at}", **event} for at, event in enumerate(events)))

    done = imported("openclaw", tmp_path, home)

    assert (done.files, done.calls, done.repeated) == (2, 1, 1)
    assert totals(home) == (1, 1, 10, 20)


def test_older_names_of_it_are_looked_for_too(tmp_path: Path) -> None:
    roots = agents.source("openclaw").roots(User(tmp_path))

    assert [root.relative_to(tmp_path).as_posix() for root in roots] == [
        ".openclaw/agents",
        ".clawdbot/agents",
        ".moltbot/agents",
    ]
