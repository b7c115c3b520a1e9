from pathlib import Path

import pytest
from click.testing import CliRunner

from agenttrace.cli import commands
from tests.builders import chat, spans, task, write


@pytest.mark.parametrize("name", ["hidden", "compare", "trend", "outcomes", "claims"])
def test_a_period_to_compare_with_needs_one_that_is_compared(home: Path, name: str):
    done = CliRunner().invoke(commands, ["report", name, "--against", "2025-09"])
    assert done.exit_code == 2
    assert "--against needs --period: say which period to set against it" in done.output


def test_a_number_is_whole_in_a_narrow_terminal(home: Path):
    write(home, spans(task("t", chat(input=123_456_789, output=1))))
    told = ["report", "hidden", "--period", "2025-10"]
    wide, narrow = (
        CliRunner(env={"COLUMNS": columns}).invoke(commands, told).output
        for columns in ("80", "40")
    )
    assert "123,456,790" in narrow
    assert narrow == wide
