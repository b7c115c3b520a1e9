"""What is read of pi: each call once, however often its transcript was copied."""

from pathlib import Path

import pytest

from agenttrace import semconv
from tests.sources.logs import CORPORA, imported, records, tokens, totals, write_lines

PI = CORPORA / "pi"


def test_input_excludes_the_cache_and_becomes_inclusive(home: Path) -> None:
    done = imported("pi", PI / "plain", home)

    assert (done.calls, done.turns, done.skipped) == (2, 1, {})
    # 10 + 0 + 4000 in and 100 out; 20 + 4000 + 60 in and 50 out.
    assert tokens(home) == [(4010, 100, 0, 4000, None), (4080, 50, 4000, 60, None)]
    assert totals(home) == (1, 2, 8090, 150)


def test_a_call_has_its_model_provider_time_and_cost_and_no_text(home: Path) -> None:
    imported("pi", PI / "plain", home)

    call = records(home, "inference")[0]
    assert call[semconv.RESPONSE_MODEL] == "claude-sonnet-4-5"
    assert call[semconv.PROVIDER_NAME] == "anthropic"
    assert call[semconv.CONVERSATION_ID] == "0aaa"
    assert call[semconv.COST_USD] == 0.01
    assert (call["start_ns"], call["end_ns"]) == (1790000002 * 10**9, 1790000004 * 10**9)
    (task,) = records(home, "task")
    assert task[semconv.PROJECT] == "shop"
    assert all(b"SECRET" not in path.read_bytes() for path in (home / "spool").iterdir())


@pytest.mark.parametrize("has_parent", [True, False])
def test_a_fork_repeats_its_parent_and_counts_only_what_is_its_own(
    home: Path, tmp_path: Path, *, has_parent: bool
) -> None:
    for path in sorted((PI / "fork").rglob("*.jsonl"))[not has_parent :]:
        (tmp_path / "logs").mkdir(exist_ok=True)
        (tmp_path / "logs" / path.name).write_bytes(path.read_bytes())

    done = imported("pi", tmp_path / "logs", home)

    assert (done.calls, done.repeated) == (3, 2 if has_parent else 0)
    sessions = [call[semconv.CONVERSATION_ID] for call in records(home, "inference")]
    assert sorted(sessions) == ["0aaa", "0aaa", "0bbb"]
    # The parent's 8090 and 150, and 5 + 4080 in and 7 out of the fork, in a turn of its own.
    assert totals(home) == (2, 3, 12175, 157)


def test_the_artifact_of_a_sub_agent_repeats_a_transcript_under_other_ids(home: Path) -> None:
    done = imported("pi", PI / "subagent_artifact", home)

    assert (done.files, done.calls, done.repeated) == (2, 2, 2)
    assert totals(home) == (1, 2, 8090, 150)


def test_a_failed_call_has_unknown_tokens_and_a_cost_of_zero_is_none(home: Path) -> None:
    imported("pi", PI / "error", home)

    failed, answered = records(home, "inference")
    assert failed[semconv.USAGE] == "missing"
    assert failed[semconv.ERROR_TYPE] == "error"
    assert semconv.INPUT_TOKENS not in failed
    assert semconv.COST_USD not in answered
    assert tokens(home) == [(None,) * 5, (30, 8, 0, 0, None)]


def test_a_transcript_is_read_on_where_it_was_left(home: Path, tmp_path: Path) -> None:
    lines = next((PI / "plain").rglob("*.jsonl")).read_text().splitlines(keepends=True)
    log = tmp_path / "logs" / "2026_0aaa.jsonl"
    log.parent.mkdir()
    log.write_text("".join(lines[:4]))
    assert imported("pi", log.parent, home).calls == 1
    log.write_text("".join(lines))

    done = imported("pi", log.parent, home)

    assert (done.calls, done.turns) == (1, 0)
    assert totals(home) == (1, 2, 8090, 150)


def test_a_record_type_that_is_not_known_is_named(home: Path, tmp_path: Path) -> None:
    write_lines(
        tmp_path / "logs" / "s.jsonl", {"type": "new_thing"}, {"type": "a secret text"}, {"type": 5}
    )

    done = imported("pi", tmp_path / "logs", home)

    assert done.skipped == {"record type 'new_thing'": 1, "a record of no known type": 2}
