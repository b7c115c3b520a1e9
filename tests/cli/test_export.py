"""The calls of a test start at START_NS, 2025-10-09 08:53:20 UTC."""

import csv
import errno
import io
import json
import re
import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from agenttrace.report.activity import xlsx
from tests.builders import agent, chat, keep, later, spans, task, write

MONTH_S = 31 * 86_400


@pytest.fixture
def recorded(home: Path) -> Path:
    october = spans(
        task("research", agent("lead", chat(input=1000, cache_read=400, output=200), chat())),
        task("ask", chat(input=10, output=5), workload="user-facing"),
    )
    keep(home, [*october, *later(spans(task("n", chat(input=7, output=1)), trace=2), MONTH_S)])
    return home


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    return tmp_path / "out"


def export(*words: str) -> Result:
    return CliRunner().invoke(commands, ["export", *words])


def activity(*words: str) -> Result:
    return export("activity", "--period", "2025-10", *words)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_rows_and_method_lie_side_by_side(recorded: Path, folder: Path):
    done = activity()
    assert done.exit_code == 0
    assert names(folder) == [
        "activity-2025-10.csv",
        "activity-2025-10.method.md",
        "activity-2025-10.workflow.csv",
    ]
    assert done.stdout.splitlines()[:5] == [
        "6 rows of activity, 2 of workflow: 3 model calls of period 2025-10, facility boundary.",
        "  activity-2025-10.csv",
        "  activity-2025-10.workflow.csv",
        "  activity-2025-10.method.md",
        "  in this folder",
    ]
    rows = list(csv.DictReader(io.StringIO((folder / "activity-2025-10.csv").read_text())))
    assert [(row["workload"], row["kind"], row["calls"], row["tokens"]) for row in rows] == [
        ("agentic", "cache_read", "1", "400"),
        ("agentic", "input_uncached", "1", "600"),
        ("agentic", "output", "1", "200"),
        ("agentic", "unreported", "1", ""),
        ("user-facing", "input_uncached", "1", "10"),
        ("user-facing", "output", "1", "5"),
    ]


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "xlsx"])
def test_each_format_is_checked_by_hash_and_store(recorded: Path, folder: Path, form: str):
    assert activity("--format", form).exit_code == 0
    checked = export("check", f"activity-2025-10.{form}")
    assert checked.exit_code == 0
    assert "activity, 6 rows: as exported, SHA-256 " in checked.stdout
    assert f"The store gives the same figures: {recorded}" in checked.stdout


def test_the_file_of_workflows_is_checked_as_well(recorded: Path, folder: Path):
    activity()
    checked = export("check", "activity-2025-10.workflow.csv")
    assert (checked.exit_code, checked.stdout[:27]) == (0, "workflow, 2 rows: as export")


def changed_csv(path: Path) -> None:
    text = path.read_bytes()
    assert text.count(b",400,") == 1
    path.write_bytes(text.replace(b",400,", b",401,"))


def changed_json(path: Path) -> None:
    text = path.read_text()
    assert text.count('"tokens": 400,') == 1
    path.write_text(text.replace('"tokens": 400,', '"tokens": 401,'))


def changed_parquet(path: Path) -> None:
    with duckdb.connect() as connection:
        ((meta,),) = connection.execute(
            f"SELECT decode(value) FROM parquet_kv_metadata('{path}') "
            "WHERE decode(key) = 'agenttrace_activity'"
        ).fetchall()
        said = meta.replace("'", "''")
        connection.execute(
            f"COPY (SELECT * REPLACE (CASE tokens WHEN 400 THEN 401 ELSE tokens END AS tokens) "
            f"FROM '{path}') TO '{path}.new' "
            f"(FORMAT parquet, KV_METADATA {{agenttrace_activity: '{said}'}})"
        )
    Path(f"{path}.new").replace(path)


def changed_xlsx(path: Path) -> None:
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert parts[sheet].count(b"<v>400</v>") == 1
    parts[sheet] = parts[sheet].replace(b"<v>400</v>", b"<v>401</v>")
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)


@pytest.mark.parametrize(
    ("form", "change"),
    [
        ("csv", changed_csv),
        ("json", changed_json),
        ("parquet", changed_parquet),
        ("xlsx", changed_xlsx),
    ],
)
def test_one_changed_digit_is_found(
    recorded: Path, folder: Path, form: str, change: Callable[[Path], None]
):
    activity("--format", form)
    change(folder / f"activity-2025-10.{form}")
    checked = export("check", f"activity-2025-10.{form}")
    assert checked.exit_code == 1
    assert "activity, 6 rows: CHANGED since the export" in checked.stdout
    assert "tokens: 401 in the file, 400 in the store" in checked.stdout
    alone = export("check", f"activity-2025-10.{form}", "--no-store")
    assert (alone.exit_code, "store" in alone.stdout) == (1, False)


def test_a_store_that_knows_more_by_now_is_told_apart_from_a_changed_file(
    recorded: Path, folder: Path
):
    activity()
    write(recorded, spans(task("late", chat(input=1, output=1)), trace=7))
    checked = export("check", "activity-2025-10.csv")
    assert checked.exit_code == 1
    assert "activity, 6 rows: as exported" in checked.stdout
    assert "tokens: 600 in the file, 601 in the store" in checked.stdout


def test_a_csv_without_its_method_cannot_be_checked(recorded: Path, folder: Path):
    activity()
    (folder / "activity-2025-10.method.md").unlink()
    checked = export("check", "activity-2025-10.csv")
    assert checked.exit_code == 1
    assert "Error: activity-2025-10.method.md with the hash of the export is not there" in (
        checked.stderr
    )
    assert "activity, 6 rows: SHA-256 " in checked.stdout


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("no.csv", None, "is no file"),
        ("a.txt", "x", "is none of csv, json, parquet, xlsx by its name"),
        ("a.json", "{", "cannot be read as an export"),
        ("a.xlsx", "x", "cannot be read as an export"),
        ("a.parquet", "x", "cannot be read as an export"),
    ],
)
def test_what_is_no_export_is_said_to_be_none(
    home: Path, folder: Path, name: str, content: str | None, said: str
):
    if content is not None:
        (folder / name).write_text(content)
    checked = export("check", name)
    assert (checked.exit_code, said in checked.stderr) == (1, True)


def test_an_export_that_is_there_is_left_alone(recorded: Path, folder: Path):
    activity()
    before = (folder / "activity-2025-10.csv").read_bytes()
    again = activity("--workload", "agentic")
    assert again.exit_code == 1
    assert "already there, and perhaps handed on" in again.stderr
    assert (folder / "activity-2025-10.csv").read_bytes() == before
    assert activity("--workload", "agentic", "--overwrite").exit_code == 0
    assert (folder / "activity-2025-10.csv").read_bytes() != before


def test_the_method_of_other_rows_is_left_alone(recorded: Path, folder: Path):
    activity()
    assert activity("--format", "parquet").exit_code == 0  # of the same rows
    words = ("--workload", "agentic", "--output", "activity-2025-10.PARQUET")
    other = activity(*words, "--format", "parquet")
    assert (other.exit_code, "activity-2025-10.method.md" in other.stderr) == (1, True)


def test_rows_go_to_the_terminal_as_they_are(recorded: Path, folder: Path):
    printed = activity("--output", "-")
    assert (printed.exit_code, names(folder)) == (0, [])
    assert printed.stdout_bytes.count(b"\r\n") == 7
    assert "SHA-256" in printed.stderr
    assert len(list(csv.reader(io.StringIO(printed.stdout)))) == 7
    said = json.loads(activity("--output", "-", "--format", "json").stdout)
    assert (len(said["rows"]), len(said["workflow"])) == (6, 2)
    refused = activity("--output", "-", "--format", "xlsx")
    assert (refused.exit_code, "is not for a terminal" in refused.stderr) == (1, True)


def test_anybody_can_compute_the_hash(
    recorded: Path, folder: Path, capsys: pytest.CaptureFixture[str]
):
    """The lines of Python in the documentation need nothing but the file."""
    activity("--workload", "agentic")
    text = (Path(__file__).parents[2] / "docs" / "activity.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(program.replace("2026-10", "2025-10"), {})
    said = (folder / "activity-2025-10.method.md").read_text()
    assert f"| activity | 4 | `{capsys.readouterr().out.strip()}` |" in said


def test_months_are_rows(recorded: Path, folder: Path):
    done = export("activity", "--period", "2025-10..2025-11", "--format", "json")
    assert done.exit_code == 0
    said = json.loads((folder / "activity-2025-10_2025-11.json").read_text())
    assert {row["month"] for row in said["rows"]} == {"2025-10", "2025-11"}


def test_a_workbook_has_three_sheets(recorded: Path, folder: Path):
    activity("--format", "xlsx")
    sheets = xlsx.read_xlsx((folder / "activity-2025-10.xlsx").read_bytes())
    assert list(sheets) == ["activity", "workflow", "methodology"]
    assert len(sheets["activity"]) == 7


def test_the_annex_walks_to_the_calls(recorded: Path, folder: Path):
    """The command that the annex prints lists the calls of its row, and each can be explained."""
    activity()
    method = (folder / "activity-2025-10.method.md").read_text()
    (line,) = (one for one in method.splitlines() if one.startswith("agenttrace query "))
    words = shlex.split(line)[1:]
    calls = json.loads(CliRunner().invoke(commands, [*words, "--format", "json"]).stdout)
    assert [call["tokens"] for call in calls] == [400]
    explained = CliRunner().invoke(commands, ["explain", calls[0]["call_id"]])
    assert (explained.exit_code, "reading, cached" in explained.output) == (0, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--period", "2024-01"], "no call of period 2024-01 was recorded"),
        (["--period", "2025-10-09"], "is not made of whole months"),
        (["--period", "2025-W41"], "is not made of whole months"),
        (["--period", "2025-10", "--project", "none"], "no project 'none' is recorded"),
        (["--period", "2025-10", "--output", "no/such/file.csv"], "is no folder"),
        (["--period", "2025-10", "--output", "."], "is a folder"),
    ],
)
def test_what_cannot_be_exported_is_said_and_no_file_is_written(
    recorded: Path, folder: Path, words: list[str], said: str
):
    done = export("activity", *words)
    assert (done.exit_code, said in done.stderr, names(folder)) == (1, True, [])


def test_a_period_that_is_none_is_a_wrong_use(home: Path, folder: Path):
    assert export("activity", "--period", "October").exit_code == 2


def test_an_empty_store_says_so(home: Path, folder: Path):
    done = export("activity")
    assert (done.exit_code, names(folder)) == (1, [])
    assert "nothing was recorded yet" in done.stderr


def test_a_folder_that_cannot_be_written_is_said(
    recorded: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    # Root may write anywhere, so a folder without the right to is no test of it.
    monkeypatch.setattr("agenttrace.report.activity.forms.replace", refuse)
    done = activity()
    assert (done.exit_code, "Permission denied" in done.stderr, names(folder)) == (1, True, [])
