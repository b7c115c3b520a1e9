import csv
import io
import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from tests.builders import chat, keep, spans, task


@pytest.fixture
def recorded(home: Path) -> Path:
    keep(
        home, spans(task("ask", chat(input=100, output=20)), task("tell", chat(input=5, output=1)))
    )
    return home


def query(*words: str) -> Result:
    return CliRunner().invoke(commands, ["query", *words])


SQL = "SELECT task_id, input_tokens FROM task_tokens ORDER BY task_id"


def test_rows_are_text_json_or_csv(recorded: Path):
    assert query(SQL).output.splitlines() == [
        "task_id  input_tokens",
        "-------  ------------",
        "ask               100",
        "tell                5",
    ]
    assert json.loads(query(SQL, "--format", "json").output) == [
        {"task_id": "ask", "input_tokens": 100},
        {"task_id": "tell", "input_tokens": 5},
    ]
    assert query(SQL, "--format", "csv").output == "task_id,input_tokens\nask,100\ntell,5\n"


def test_ids_are_never_cut(recorded: Path):
    table = csv.DictReader(io.StringIO(query("model_call", "--format", "csv").output))
    ids = [row["trace_id"] for row in table]
    assert [len(one) for one in ids] == [32, 32]
    text = query("model_call").output
    assert all(one in text for one in ids)


@pytest.mark.parametrize("words", [(), ("",), (" ",), ("--list",), ("--list", "totals")])
def test_the_list_has_each_query_under_its_folder(recorded: Path, words: tuple[str, ...]):
    own = recorded / "queries"
    own.mkdir()
    (own / "mine.sql").write_text("-- One row: the answer.\nSELECT 42 AS answer\n")
    lines = query(*words).output.splitlines()
    folder = lines.index(str(own))
    assert lines[folder + 1].split() == ["mine", "One", "row:", "the", "answer"]
    assert any(line.startswith("  model_call ") for line in lines)


def test_the_list_is_also_for_programs(home: Path):
    listed = json.loads(query("--format", "json").stdout)
    assert {"totals", "model_call"} <= {row["name"] for row in listed}
    assert all(Path(row["file"]).is_file() for row in listed)


def test_a_name_that_is_not_there_is_one_line_and_exit_code_1(home: Path):
    result = query("totls")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1].startswith(
        "Error: there is no query named totls. Did you mean totals"
    )


def test_warnings_do_not_mix_with_the_data(home: Path):
    result = query("SELECT 1 AS one", "--format", "csv")
    assert result.stdout == "one\n1\n"
    assert result.stderr.startswith("Warning: Nothing is recorded in")


def test_the_help_shows_examples_that_run(recorded: Path):
    examples = [
        shlex.split(line)[2:]
        for line in query("--help").output.splitlines()
        if line.strip().startswith("agenttrace query ")
    ]
    assert len(examples) == 2
    assert [query(*words).exit_code for words in examples] == [0, 0]


def test_a_query_without_a_comment_is_listed_by_its_name(home: Path):
    (home / "queries").mkdir(parents=True)
    (home / "queries" / "mine.sql").write_text("SELECT 1 AS one")
    listed = CliRunner().invoke(commands, ["query", "--list"]).stdout
    assert "mine" in listed
