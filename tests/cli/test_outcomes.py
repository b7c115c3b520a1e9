"""Outcomes are imported whole or not at all, and twice is as once."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli.outcomes import outcomes
from agenttrace.reader import Reader
from tests.builders import START_NS, chat, fact, keep, spans, task


@pytest.fixture
def recorded(home: Path) -> Path:
    """Two tasks whose ids begin alike, and one with an outcome that was told at 1,010 s."""
    keep(
        home,
        spans(task("fix", chat(), task_id="fix-1"), task("fix", chat(), task_id="fix-22")),
        spans(task("old", fact(task_outcome="failure"), task_id="old"), trace=2),
    )
    return home


def run(home: Path, *words: object) -> Result:
    command: Any = outcomes
    return CliRunner().invoke(command, ["import", *map(str, words)], obj=str(home))


def imported(home: Path, text: str, name: str = "outcomes.csv", *words: str) -> Result:
    path = home.parent / name
    path.write_text(text)
    return run(home, path, *words)


def told(home: Path) -> dict[str, tuple[str | None, str | None]]:
    with Reader(home) as reader:
        rows = reader.query("SELECT task_id, outcome, outcome_reference FROM task_workload")
    return {row["task_id"]: (row["outcome"], row["outcome_reference"]) for row in rows}


def facts(home: Path) -> int:
    with Reader(home) as reader:
        (row,) = reader.query("SELECT count(*) AS facts FROM span WHERE kind = 'fact'")
    return row["facts"]


NOTHING = {"fix-1": (None, None), "fix-22": (None, None), "old": ("failure", None)}

FORMS = {
    "CSV": "task_id,outcome,reference\nfix-1,success,PR 1\nfix-22,failure,\n",
    "CSV as spreadsheets write it": (
        "\ufeffTask_ID;Outcome;Reference;Owner\r\nfix-1;Success;PR 1;x\r\n\r\nfix-22;failure;;\r\n"
    ),
    "tabs": "outcome\ttask_id\treference\nsuccess\tfix-1\tPR 1\nfailure\tfix-22\n",
    "JSON": json.dumps(
        [
            {"task_id": "fix-1", "outcome": "success", "reference": "PR 1"},
            {"task_id": "fix-22", "outcome": "failure", "reference": None},
        ]
    ),
    "JSON lines": (
        '{"task_id": "fix-1", "outcome": "success", "reference": "PR 1"}\n\n'
        '{"task_id": "fix-22", "outcome": "failure", "owner": ["x"]}\n'
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_outcomes_are_read_in_every_form(form: str, recorded: Path) -> None:
    result = imported(recorded, FORMS[form])
    assert result.exit_code == 0, result.output
    assert result.output == "2 outcomes imported: 1 success, 1 failure.\n"
    assert told(recorded) == {**NOTHING, "fix-1": ("success", "PR 1"), "fix-22": ("failure", None)}


def test_the_beginning_of_an_id_is_enough_if_it_tells_tasks_apart(recorded: Path) -> None:
    result = imported(recorded, "task_id,outcome\nfix-2,abandoned\n")
    assert result.output == "1 outcome imported: 1 abandoned.\n"
    assert told(recorded)["fix-22"] == ("abandoned", None)


def test_what_is_imported_twice_is_written_once(recorded: Path) -> None:
    file = (
        "task_id,outcome,reference,at\n"
        "fix-1,failure,run 1,2025-10-10\nfix-1,success,run 2,2025-10-11\nold,success,,\n"
    )
    first = imported(recorded, file)
    before = facts(recorded)
    second = imported(recorded, file)
    assert first.output == (
        "2 outcomes imported: 2 success.\n  1 row replaced by a later row of the same task\n"
    )
    assert second.output == (
        "Nothing new: no outcome was imported.\n"
        "  2 rows known already\n  1 row replaced by a later row of the same task\n"
    )
    assert facts(recorded) == before
    assert told(recorded)["fix-1"] == ("success", "run 2")


def test_what_is_older_than_what_is_known_changes_nothing(recorded: Path) -> None:
    at = "2025-10-09T08:00:00Z"  # START_NS is 08:53:20 of that day
    assert START_NS == 1_760_000_000 * 10**9
    result = imported(recorded, f"task_id,outcome,at\nold,success,{at}\n")
    assert result.output.splitlines()[1:] == ["  1 row older than what is known, which stays"]
    assert told(recorded)["old"] == ("failure", None)


def test_a_time_may_have_a_zone_and_is_utc_without_one(recorded: Path) -> None:
    imported(
        recorded,
        "task_id,outcome,at\nfix-1,success,2025-10-09T12:00:00+02:00\n"
        "fix-22,success,2025-10-09T10:00:00\n",
    )
    with Reader(recorded) as reader:
        rows = reader.query("SELECT start_ns FROM span WHERE kind = 'fact' ORDER BY start_ns DESC")
    ten = 1_760_004_000 * 10**9
    assert [row["start_ns"] for row in rows][:2] == [ten, ten]


def test_an_outcome_does_not_make_a_task_longer(recorded: Path) -> None:
    with Reader(recorded) as reader:
        before = reader.query("SELECT task_id, duration_ms FROM task ORDER BY task_id")
    imported(recorded, FORMS["CSV"])
    with Reader(recorded) as reader:
        assert reader.query("SELECT task_id, duration_ms FROM task ORDER BY task_id") == before


WRONG = {
    "an unknown outcome": (
        "task_id,outcome\nfix-1,success\nfix-22,merged\nold,\n",
        "line 3, column outcome: 'merged' is none of success, failure, abandoned. Write one of "
        "them, or leave the row out. 1 more row is wrong. Nothing was imported.",
    ),
    "a missing column": (
        "task,outcome\nfix-1,success\n",
        "line 1: there is no column task_id. The columns are task_id, outcome, reference, at; the "
        "last two may be left out. Nothing was imported.",
    ),
    "an empty id": ("task_id,outcome\n,success\n", "line 2, column task_id: it is empty."),
    "no time": (
        "task_id,outcome,at\nfix-1,success,yesterday\n",
        "line 2, column at: 'yesterday' is no time. Write it as 2026-10-05T14:00:00Z",
    ),
    "a time that is yet to come": (
        "task_id,outcome,at\nfix-1,success,9999-01-01\n",
        "line 2, column at: '9999-01-01' is yet to come.",
    ),
    "too many columns": ("task_id,outcome\nfix-1,success,PR 1\n", "line 2 has 3 columns, and the"),
    "an unknown task": (
        "task_id,outcome\nfix-1,success\na,success\nb,success\nc,success\nd,failure\n",
        "line 3, column task_id: 4 tasks were not recorded here: a, b, c and 1 more.",
    ),
    "an id that two tasks begin with": (
        "task_id,outcome\nfix,success\n",
        "line 2, column task_id: more than one task begins with 'fix': fix-1, fix-22.",
    ),
    "broken JSON": ('{"task_id": "fix-1"\n', "line 1, character 20: this is no JSON."),
    "JSON of something else": ('["fix-1"]', "item 1 is no object."),
    "JSON without an outcome": ('[{"task_id": "fix-1"}]', "item 1: there is no column outcome."),
    "JSON with a list": (
        '{"task_id": ["fix-1"], "outcome": "success"}',
        "line 1, column task_id: it is neither a text nor a whole number.",
    ),
    "nothing": (" \n", "is empty. Its columns are task_id, outcome, reference, at."),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_is_wrong_is_refused_whole_with_the_way_out(what: str, recorded: Path) -> None:
    text, said = WRONG[what]
    good = recorded.parent / "good.csv"
    good.write_text(FORMS["CSV"])
    bad = recorded.parent / "bad"
    bad.write_text(text)
    result = run(recorded, good, bad)
    error: Any = result.exception
    assert result.exit_code == 1
    assert said in str(error)
    assert str(bad) in str(error)
    assert told(recorded) == NOTHING


def test_a_file_that_is_no_text_is_refused(recorded: Path) -> None:
    path = recorded.parent / "outcomes.csv"
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8" in str(run(recorded, path).exception)


def test_tasks_that_are_unknown_can_be_skipped(recorded: Path) -> None:
    file = "task_id,outcome\nfix-1,success\nelsewhere,success\n"
    result = imported(recorded, file, "outcomes.csv", "--unknown", "skip")
    assert result.output == (
        "1 outcome imported: 1 success.\n  1 row of tasks that were not recorded here\n"
    )


def test_a_reference_is_cut(recorded: Path) -> None:
    imported(recorded, f"task_id,outcome,reference\nfix-1,success,{'x' * 300}\n")
    assert told(recorded)["fix-1"] == ("success", "x" * 200)


def test_nothing_is_known_in_an_empty_store(home: Path) -> None:
    home.mkdir()
    result = imported(home, "task_id,outcome\nfix-1,success\n")
    assert "1 task was not recorded here: fix-1." in str(result.exception)


def test_a_disk_that_refuses_is_said(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    told(recorded)
    spool = recorded / "spool"
    for path in spool.iterdir():
        path.unlink()
    spool.rmdir()
    spool.write_text("in the way")
    result = imported(recorded, FORMS["CSV"])
    assert result.exit_code == 1
