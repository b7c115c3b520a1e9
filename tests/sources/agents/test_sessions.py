"""What is read of programs that keep totals of sessions: tokens, and no number of calls."""

import json
from pathlib import Path
from typing import Any

import pytest

from agenttrace import coding_agents, semconv
from tests.sources.logs import CORPORA, imported, records, tokens, totals, write_database

DROID = CORPORA / "droid"
_GOOSE = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, description TEXT, working_dir TEXT, created_at TIMESTAMP,
    updated_at TIMESTAMP, total_tokens INTEGER, input_tokens INTEGER, output_tokens INTEGER,
    accumulated_total_tokens INTEGER, accumulated_input_tokens INTEGER,
    accumulated_output_tokens INTEGER, provider_name TEXT, model_config_json TEXT
)
"""
_HERMES = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, source TEXT, title TEXT, model TEXT, parent_session_id TEXT,
    started_at REAL, ended_at REAL, input_tokens INTEGER, output_tokens INTEGER,
    cache_read_tokens INTEGER, cache_write_tokens INTEGER, reasoning_tokens INTEGER,
    billing_provider TEXT, estimated_cost_usd REAL, actual_cost_usd REAL
)
"""


def _goose(folder: Path, total: int | None, given: int | None, output: int | None) -> Path:
    config = json.dumps({"model_name": "claude-sonnet-4-5", "temperature": None})
    row = ("20260921_1", "SECRET", "/code/shop", "2026-09-21 14:13:20", "2026-09-21 15:00:00")
    last_call = (9, 8, 1)
    row = (*row, *last_call, total, given, output, "google-vertex", config)
    return write_database(folder / "sessions.db", _GOOSE, [("sessions", row)])


def _hermes(folder: Path, session: str, *counts: int, cost: float | None = None) -> Path:
    row = (session, "cli", "SECRET", "gpt-5.2", None, 1790000000.25, None)
    row = (*row, *counts, "openai-codex", 0.5, cost)
    return write_database(folder / "state.db", _HERMES, [("sessions", row)])


def _marks(home: Path) -> tuple[Any, ...]:
    (call,) = records(home, "inference")
    return tuple(call.get(key) for key in (semconv.ROLE, semconv.USAGE, semconv.RESPONSE_MODEL))


def test_a_session_of_goose_counts_with_what_it_accumulated(home: Path, tmp_path: Path) -> None:
    _goose(tmp_path, 1500, 1200, 300)

    done = imported("goose", tmp_path, home)

    assert done.calls == 1
    assert _marks(home) == ("other", "reported", "claude-sonnet-4-5")
    (total,) = records(home, "fact")
    assert (total[semconv.INPUT_TOKENS], total[semconv.OUTPUT_TOKENS]) == (1200, 300)
    assert records(home, "task")[0][semconv.PROJECT] == "shop"
    assert totals(home) == (1, 1, 1200, 300)


def test_a_total_of_goose_above_input_and_output_is_thought(home: Path, tmp_path: Path) -> None:
    _goose(tmp_path, 180, 100, 50)

    imported("goose", tmp_path, home)

    assert tokens(home) == [(100, 80, None, None, 30)]


def test_a_session_that_goes_on_is_one_call_with_more_tokens(home: Path, tmp_path: Path) -> None:
    _goose(tmp_path, 150, 100, 50)
    imported("goose", tmp_path, home)
    _goose(tmp_path, 1000, 700, 300)

    done = imported("goose", tmp_path, home)

    assert (done.calls, done.improved) == (0, 1)
    assert totals(home) == (1, 1, 700, 300)


def test_a_session_without_tokens_is_no_call(home: Path, tmp_path: Path) -> None:
    _goose(tmp_path, None, None, None)

    assert imported("goose", tmp_path, home).calls == 0


def test_hermes_leaves_the_cache_out_of_the_input_and_reasoning_in_the_output(
    home: Path, tmp_path: Path
) -> None:
    _hermes(tmp_path, "s1", 1200, 300, 50, 20, 10, cost=0.34)

    imported("hermes", tmp_path, home)

    assert tokens(home) == [(1270, 300, 50, 20, 10)]
    (call,) = records(home, "inference")
    assert (call[semconv.COST_USD], call[semconv.PROVIDER_NAME]) == (0.34, "openai")


def test_profiles_of_hermes_have_databases_of_their_own_and_a_session_counts_once(
    home: Path, tmp_path: Path
) -> None:
    _hermes(tmp_path, "shared", 10, 5, 0, 0, 0)
    (tmp_path / "profiles" / "work").mkdir(parents=True)
    (tmp_path / "hermes-agent").mkdir()
    _hermes(tmp_path / "profiles" / "work", "shared", 10, 5, 0, 0, 0)
    _hermes(tmp_path / "profiles" / "work", "own", 7, 3, 0, 0, 0)
    _hermes(tmp_path / "hermes-agent", "a test of its own", 1, 1, 0, 0, 0)

    done = imported("hermes", tmp_path, home)

    assert (done.files, done.calls, done.repeated) == (2, 2, 1)
    assert totals(home) == (2, 2, 17, 8)


def test_an_estimate_by_hermes_is_no_cost(home: Path, tmp_path: Path) -> None:
    _hermes(tmp_path, "s1", 10, 5, 0, 0, 0)

    imported("hermes", tmp_path, home)

    assert semconv.COST_USD not in records(home, "inference")[0]


def test_a_session_of_droid_counts_from_its_settings(home: Path) -> None:
    imported("droid", DROID / "plain", home)

    assert tokens(home) == [(31200, 500, 30000, 200, 120)]  # 1000 + 30000 + 200
    assert _marks(home) == ("other", "reported", "Claude-Sonnet-4.5")
    assert records(home, "inference")[0]["start_ns"] == 1790000000 * 10**9
    assert records(home, "task")[0][semconv.PROJECT] == "shop"


def test_thoughts_of_droid_that_exceed_the_output_stand_beside_it(home: Path) -> None:
    imported("droid", DROID / "thinking_beside", home)

    assert tokens(home) == [(10, 45, 0, 0, 40)]


def test_settings_of_droid_without_use_are_no_call(home: Path) -> None:
    assert imported("droid", DROID / "unused", home).calls == 0


@pytest.mark.parametrize("name", ["goose", "droid", "hermes"])
def test_what_totals_cannot_tell_is_said(name: str) -> None:
    assert "number is unknown" in str(coding_agents.CODING_AGENTS[name].lacks)


def test_agents_without_counts_are_named_with_the_reason() -> None:
    assert set(coding_agents.NOT_READABLE) == {"cursor", "antigravity", "grok", "devin"}
    assert "zero" in coding_agents.NOT_READABLE["cursor"]
    assert not set(coding_agents.NOT_READABLE) & set(coding_agents.CODING_AGENTS)
