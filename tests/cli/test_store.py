from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from tests.builders import chat, spans, task, write


def store(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words))


@pytest.fixture
def recorded(home: Path) -> Path:
    write(home, spans(task("greet", chat(input=10, output=5))))
    return home


def test_info_says_where_and_how_much(recorded: Path):
    lines = store("store", "info").stdout.splitlines()
    told = {line.split()[0]: " ".join(line.split()[1:]) for line in lines}
    assert told["folder"] == f"{recorded} (from AGENTTRACE_HOME)"
    assert (told["spans"], told["quarantined"], told["lost"]) == ("2", "0 records", "0 records")
    assert told["first"] == "2025-10-09 08:53:21 UTC"
    assert told["lake"].startswith("1 files, ")


def test_info_on_nothing_is_nothing(tmp_path: Path):
    nowhere = tmp_path / "nowhere"
    result = store("--store", str(nowhere), "store", "info")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["folder", str(nowhere), "(from", "argument)"] in lines
    assert ["spans", "0"] in lines
    assert not nowhere.exists()


def test_fold_brings_the_spool_into_the_lake(recorded: Path):
    assert list((recorded / "spool").glob("*.seg"))
    assert store("store", "fold").output == "Everything new is in the lake.\n"
    assert not list((recorded / "spool").glob("*.seg"))
    assert len(list((recorded / "lake" / "spans").glob("*.parquet"))) == 1


def test_fold_in_a_folder_that_cannot_be_written_is_one_line_and_exit_code_1(recorded: Path):
    (recorded / "fold.lock").mkdir()
    result = store("store", "fold")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {recorded} cannot be folded: ")
    assert len(result.stderr.splitlines()) == 1


def test_folding_nothing_says_so(tmp_path: Path):
    nowhere = tmp_path / "nowhere"
    done = store("--store", str(nowhere), "store", "fold")
    assert (done.exit_code, done.stdout) == (0, f"Nothing is recorded in {nowhere} yet.\n")
    assert not nowhere.exists()
