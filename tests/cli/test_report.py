import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from tests.builders import agent, chat, keep, line, put, segment, spans, task, write


@pytest.fixture
def recorded(home: Path) -> Path:
    keep(
        home,
        spans(
            task("research", agent("lead", chat(input=1000, output=200), chat(input=9, output=1))),
            task("greet", chat(input=10, output=5, provider="acme", model="zorg-9")),
        ),
    )
    return home


def report(*words: str) -> Result:
    return CliRunner().invoke(commands, ["report", *words])


def test_the_overview_comes_as_text_json_and_picture(recorded: Path):
    text = report().output
    assert text.startswith("agenttrace report  2025-10-09 ")
    overview = json.loads(report("--format", "json").output)
    assert (overview["kind"], overview["totals"]["calls"]) == ("overview", 3)
    picture = ET.fromstring(report("--format", "svg").output)
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"


def test_a_task_comes_as_text_json_and_picture(recorded: Path):
    text = report("task", "res").output
    assert text.splitlines()[:2] == ["research", "task research"]
    told = json.loads(report("task", "res", "--format", "json").output)
    assert (told["kind"], told["task_id"], len(told["nodes"])) == ("task", "research", 4)
    assert report("task", "res", "--format", "svg").output.startswith("<svg")


def test_the_models_come_as_text_json_and_picture(recorded: Path):
    text = report("models").output
    assert text.startswith("agenttrace report models  2025-10-09 ")
    told = json.loads(report("models", "--format", "json").output)
    assert told["kind"] == "models"
    assert [(line["model"], line["calls"]) for line in told["models"]] == [
        ("gpt-5", 2),
        ("zorg-9", 1),
    ]
    assert report("models", "--format", "svg").output.startswith("<svg")


def test_a_task_of_any_size_is_shown_in_full_to_who_asks(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("agenttrace.report.task.SPANS_AT_MOST", 3)
    assert "4 spans, summed up. --full shows each" in report("task", "research").output
    assert "agent lead" in report("task", "research", "--full").output


def test_the_format_may_stand_before_the_task(recorded: Path):
    assert json.loads(report("--format", "json", "task", "greet").output)["task_id"] == "greet"


def test_only_as_many_tasks_as_asked_for(recorded: Path):
    def listed(*words: str) -> list[str]:
        found = json.loads(report("--format", "json", *words).output)["top_tasks"]
        return [task["task_id"] for task in found]

    assert listed() == ["research", "greet"]
    assert listed("--limit", "1") == ["research"]


def test_a_task_that_is_not_there_is_one_line_and_exit_code_1(recorded: Path):
    result = report("task", "nobody")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: no task begins with 'nobody'. `agenttrace report` lists the largest, "
        "`agenttrace query task` all.\n"
    )


def test_without_data_the_report_says_how_to_record(home: Path):
    result = report()
    assert result.exit_code == 0
    assert f"Nothing is recorded in {home} yet" in result.stderr
    for said in ("agenttrace.configure()", "@agenttrace.task", "agenttrace demo"):
        assert said in result.stdout
    assert not home.exists()


def test_tasks_without_a_call_are_counted_and_nothing_is_unreported(home: Path):
    write(home, spans(task("idle", agent("lead"))))
    overview, tree = report().stdout, report("task", "idle").stdout
    assert "Tasks  1\nCalls  0\n\nNo model call was recorded." in overview
    assert "not reported" not in overview
    assert "Calls  0\n\nNo model call was recorded." in tree
    assert "agent lead" in tree


def test_without_data_programs_get_zeros(home: Path):
    assert json.loads(report("--format", "json").stdout)["totals"]["calls"] == 0


def test_a_folder_that_cannot_be_written_is_reported_all_the_same(recorded: Path):
    write(recorded, spans(task("late", chat(input=7, output=1)), trace=2))
    (recorded / "fold.lock").unlink()
    (recorded / "fold.lock").mkdir()
    result = report()
    assert result.exit_code == 0
    told = " ".join(result.stdout.split())
    assert "research" in told
    assert "late" in told
    assert "cannot be written, so what is new is read into memory for this report only" in told


def test_records_that_cannot_be_read_are_counted_in_the_report(home: Path):
    good, *_ = records = spans(task("greet", chat(input=10, output=5)))
    put(home, "1-1-1", segment(records) + line({**good, "span_id": None}))
    told = json.loads(report("--format", "json").stdout)
    assert (told["totals"]["calls"], told["coverage"]["quarantined_records"]) == (1, 1)
    assert "1 quarantined" in report().stdout


def test_a_store_from_a_newer_version_is_one_line_and_exit_code_1(recorded: Path):
    import duckdb

    report()
    with duckdb.connect(recorded / "store.duckdb") as store:
        store.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    result = report()
    assert (result.exit_code, result.stdout) == (1, "")
    (said,) = result.stderr.splitlines()
    assert "999" in said
    assert "Upgrade agenttrace" in said
