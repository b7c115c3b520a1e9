"""What is read of Kimi CLI and Kimi Code."""

from pathlib import Path
from typing import Any

from agenttrace import semconv
from tests.sources.logs import CORPORA, imported, records, tokens, totals, write_lines

KIMI = CORPORA / "kimi"


def test_buckets_are_exclusive_and_compaction_is_named(home: Path) -> None:
    done = imported("kimi", KIMI / "plain", home)

    assert (done.calls, done.turns) == (3, 2)
    assert tokens(home) == [
        (2150, 30, 2000, 50, None),  # 100 + 2000 + 50
        (900, 200, 0, 0, None),
        (10, 5, 0, 0, None),
    ]
    calls = records(home, "inference")
    assert [call[semconv.ROLE] for call in calls] == ["main", "compaction", "main"]
    assert totals(home) == (2, 3, 3060, 235)


def test_a_model_that_only_the_settings_name_is_one_that_was_asked_for(home: Path) -> None:
    imported("kimi", KIMI / "plain", home)

    call = records(home, "inference")[0]
    assert call[semconv.REQUEST_MODEL] == "kimi-for-coding"
    assert semconv.RESPONSE_MODEL not in call


def test_an_event_of_a_sub_agent_repeats_the_file_that_it_has(home: Path) -> None:
    done = imported("kimi", KIMI / "subagents", home)

    # a1 has a file, which counts; a2 has none, so its events do.
    assert (done.calls, done.turns) == (4, 2)
    assert sorted(tokens(home)) == [
        (40, 4, 0, 0, None),
        (77, 7, 0, 0, None),
        (100, 10, 0, 0, None),
        (200, 20, 0, 0, None),
    ]
    agents = records(home, "agent")
    assert [agent[semconv.AGENT_NAME] for agent in agents] == ["coder", "coder"]
    below = [call for call in records(home, "inference") if call[semconv.ROLE] == "subagent"]
    assert {call["parent_span_id"] for call in below} == {agent["span_id"] for agent in agents}
    assert totals(home) == (1, 4, 417, 41)


def test_sums_of_a_session_are_no_calls(home: Path) -> None:
    done = imported("kimi", KIMI / "kimi_code", home)

    assert done.calls == 3
    assert {call[semconv.RESPONSE_MODEL] for call in records(home, "inference")} == {
        "kimi-for-coding"
    }
    # 10 + 1000, 20 + 1000, and 5 + 1000 in an agent of the same turn.
    assert totals(home) == (1, 3, 3035, 9)


def test_an_event_type_that_is_not_known_is_named(home: Path, tmp_path: Path) -> None:
    event: dict[str, Any] = {"timestamp": 1790000000, "message": {"type": "Novelty", "payload": {}}}
    write_lines(tmp_path / "f" / "s" / "wire.jsonl", event)

    assert imported("kimi", tmp_path, home).skipped == {"record type 'Novelty'": 1}
