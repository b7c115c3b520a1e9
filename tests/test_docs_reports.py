"""The reports that stand in the docs are those that the commands print.

Each block of a page that begins with ``$ agenttrace`` is run, and what it prints has to be what
follows. ``AGENTTRACE_UPDATE_DOCS=1 pytest tests/test_docs_reports.py`` writes it anew.
"""

import importlib.util
import os
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from agenttrace.cli import commands
from examples import coding_agent_week
from tests import demo_run

DOCS = Path(__file__).parents[1] / "docs"
COLUMNS = 80
DEMO_START = datetime(2026, 11, 16, 10, tzinfo=UTC)

_SESSION = re.compile(r"^```console\n\$ (agenttrace [^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def the_demo(factory: pytest.TempPathFactory) -> Path:
    home = factory.mktemp("demo of the docs")
    demo_run.moved(demo_run.played(factory), home, DEMO_START)
    return home


def the_weeks(factory: pytest.TempPathFactory) -> Path:
    home = factory.mktemp("weeks of the docs")
    coding_agent_week.write(home)
    return home


PAGES: dict[str, Callable[[pytest.TempPathFactory], Path]] = {
    "demo-reports.md": the_demo,
    "week-reports.md": the_weeks,
}


@pytest.fixture(scope="module", params=sorted(PAGES))
def page_and_home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    if request.param == "demo-reports.md" and importlib.util.find_spec("splintr") is None:
        pytest.skip("tokens that nobody reports are estimated otherwise without splintr-rs")
    return DOCS / request.param, PAGES[request.param](tmp_path_factory)


def printed(command: str, home: Path) -> str:
    """Return what *command* prints about *home* in a terminal of 80 columns."""
    environment = {"AGENTTRACE_HOME": str(home), "COLUMNS": str(COLUMNS), "AGENTTRACE_FACTORS": ""}
    done = CliRunner().invoke(commands, shlex.split(command)[1:], env=environment)
    assert done.exit_code == 0, f"{command}: {done.output}"
    return "".join(f"{line.rstrip()}\n" for line in done.output.rstrip().splitlines())


def test_a_page_shows_what_its_commands_print(page_and_home: tuple[Path, Path]):
    page, home = page_and_home
    text = page.read_text()
    anew = _SESSION.sub(
        lambda found: f"```console\n$ {found[1]}\n{printed(found[1], home)}```", text
    )
    if os.environ.get("AGENTTRACE_UPDATE_DOCS"):
        page.write_text(anew)
    else:
        assert anew == text


def test_a_page_has_the_full_reports_and_no_line_is_too_long(page_and_home: tuple[Path, Path]):
    page, _ = page_and_home
    sessions = _SESSION.findall(page.read_text())
    assert {command.split()[2] for command, _ in sessions} >= {"compare", "trend", "claims"}
    lines = [line for _, said in sessions for line in said.splitlines()]
    assert [line for line in lines if len(line) > COLUMNS] == []
