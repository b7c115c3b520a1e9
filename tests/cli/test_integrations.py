"""``agenttrace integrations`` says what is here and how far it was tested."""

import json
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from click.testing import CliRunner

from agenttrace import integration
from agenttrace.cli import commands


class Framework(integration.Instrumentor):
    distribution = "click"
    module = "click"
    hook = "its callbacks"
    tested = ("8.0", "99")


def listed(monkeypatch: pytest.MonkeyPatch, **said: Any) -> dict[str, str]:
    """Return the row of a framework that says *said* of itself."""
    kind = type("Said", (Framework,), said)
    monkeypatch.setattr(integration, "available", lambda: {"mine": kind})
    done = CliRunner().invoke(commands, ["integrations", "--format", "json"])
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.output)
    return row


def test_a_framework_of_a_tested_version_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    row = listed(monkeypatch)
    assert row.pop("here").startswith("8.")
    assert row == {
        "name": "mine",
        "framework": "click",
        "tested": "8.0 and 99",
        "hook": "its callbacks",
        "state": "ready",
    }


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"tested": ("98", "99")}, "older than tested"),
        ({"tested": ("7.0", "8.0")}, "newer than tested"),
        ({"distribution": "no-such-framework"}, "absent"),
        ({"module": "no_such_framework.tracing"}, "absent"),
    ],
)
def test_the_state_says_what_to_expect(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], state: str
) -> None:
    assert listed(monkeypatch, **said)["state"] == state


def test_every_integration_of_ours_is_listed_and_says_what_it_hooks() -> None:
    done = CliRunner().invoke(commands, ["integrations", "--format", "json"])
    rows = json.loads(done.output)
    assert {"langchain"} <= {row["name"] for row in rows}
    assert all(row["hook"] and row["tested"] for row in rows)


def test_the_text_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = CliRunner().invoke(commands, ["integrations"])
    lines = done.output.splitlines()
    assert lines[0].split() == ["name", "here", "tested", "state", "hook"]
    assert max(map(len, lines)) <= 80


def test_an_integration_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("mine", "no_such_module:Class", integration.GROUP)
    monkeypatch.setattr(integration, "entry_points", lambda group: [broken])
    done = CliRunner().invoke(commands, ["integrations"])
    assert done.exit_code == 1
    assert "The integration mine cannot be loaded" in done.output
