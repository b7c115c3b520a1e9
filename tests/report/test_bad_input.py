"""What the reports on agents and people say of data that is missing, one-sided or not known.

One table: each situation with each command. Nothing is a traceback, a NaN or a silent zero: there
is an answer as far as there can be one, and a sentence that says what is missing.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from agenttrace.report import text
from agenttrace.report.json import to_json
from agenttrace.report.values import Report
from agenttrace.testing.history import History

OCTOBER = datetime(2026, 10, 6, 8, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 9, 8, tzinfo=UTC)


def agent(past: History, at: datetime, model: str = "gpt-5") -> None:
    with past.task("job", at=at) as task, task.agent("coder") as coder:
        for _ in range(2):
            coder.call(model, input_tokens=1000, cache_read_tokens=800, output_tokens=50)


def person(past: History, at: datetime) -> None:
    with past.task("chat", at=at, workload="user-facing", user="ada", user_turns=1) as task:
        task.call("gpt-5", input_tokens=500, output_tokens=300)


def nothing(past: History) -> None:
    """Nothing was recorded."""


def only_agents(past: History) -> None:
    agent(past, OCTOBER)
    agent(past, NOVEMBER)


def only_people(past: History) -> None:
    person(past, OCTOBER)
    person(past, NOVEMBER)


def one_task(past: History) -> None:
    agent(past, NOVEMBER)


def unknown_models(past: History) -> None:
    agent(past, OCTOBER, "mystery-1")
    agent(past, NOVEMBER, "mystery-2")


def both(past: History) -> None:
    only_agents(past)
    only_people(past)


COMMANDS = {
    "hidden": "report hidden",
    "compare": "report compare",
    "trend": "report trend",
    "claims": "report claims",
    "outcomes": "report outcomes",
    "project": "project --agents 5 --hours-per-week 40",
    "activity": "export activity --output - --format json",
}

EVERYTHING = "--period all"
NO_DATA = "--period 2025-01"
RECORDED = "calls of any kind were recorded from 2026-10-06 to 2026-11-09 (UTC)"
OVERLAP = "--period 2026-11 --against 2026-10-15..2026-11-15"

# (what was recorded, options) -> command -> exit code, and what it says of what is missing.
CASES: dict[tuple[Callable[[History], None], str], dict[str, tuple[int, str]]] = {
    (nothing, EVERYTHING): {
        "hidden": (0, "Nothing is recorded in"),
        "compare": (0, "Nothing is recorded in"),
        "trend": (0, "Nothing is recorded in"),
        "claims": (0, "Nothing is recorded in"),
        "outcomes": (0, "Nothing is recorded in"),
        "project": (0, "there is nothing to project from"),
        "activity": (1, "nothing was recorded yet"),
    },
    (both, NO_DATA): {
        "hidden": (0, RECORDED),
        "compare": (0, RECORDED),
        "trend": (0, RECORDED),
        "claims": (0, RECORDED),
        "outcomes": (0, RECORDED),
        "project": (0, "No agentic task is recorded (period 2025-01)"),
        "activity": (1, "no call of period 2025-01 was recorded"),
    },
    (only_people, EVERYTHING): {
        "hidden": (0, "all recorded"),
        "compare": (0, "No model call of the agents is traced"),
        "trend": (0, "Chosen without --period"),
        "claims": (0, "Only user-facing calls are recorded"),
        "outcomes": (0, "No outcome is recorded yet"),
        "project": (0, "No agentic task is recorded"),
        "activity": (0, "user-facing"),
    },
    (only_agents, EVERYTHING): {
        "hidden": (0, "by the rule of one turn a task"),
        "compare": (0, "No user-facing call is traced"),
        "trend": (0, "Chosen without --period"),
        "claims": (0, "Only agentic calls are recorded"),
        "outcomes": (0, "No outcome is recorded yet"),
        "project": (0, "no user-facing call is recorded"),
        "activity": (0, "agentic"),
    },
    (one_task, EVERYTHING): {
        "hidden": (0, "1 task"),
        "compare": (0, "No user-facing call is traced"),
        "trend": (0, "no change is shown"),
        "claims": (0, "missing: an agent that was recorded for a day or more"),
        "outcomes": (0, "No outcome is recorded yet"),
        "project": (0, "one task is measured"),
        "activity": (0, "agentic"),
    },
    (unknown_models, EVERYTHING): dict.fromkeys(
        COMMANDS, (0, "'mystery-2' is not in the catalogue")
    ),
    (both, OVERLAP): {
        "hidden": (0, "overlap"),
        "trend": (0, "overlap"),
        "claims": (0, "overlap"),
        "outcomes": (0, "overlap"),
        "compare": (0, "overlap"),
        # The others look at one period.
        "project": (2, "No such option '--against'"),
        "activity": (2, "No such option '--against'"),
    },
}

ROWS = [(*key, command, wanted) for key, row in CASES.items() for command, wanted in row.items()]
NAMES = [f"{write.__name__} {options} {command}" for write, options, command, _ in ROWS]

# A word that Python prints for what is no number, a zero with a sign, and what is left of a
# difference of two floats.
_NO_FIGURE = re.compile(
    r"\b(?:nan|NaN|inf|Infinity|None)\b|(?<![\w.])[-\u2212]0(?:\.0+)?(?![\w.-])|0\.0{9}"
)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[Callable[[History], None], Path]:
    def written(write: Callable[[History], None]) -> Path:
        home = tmp_path_factory.mktemp(write.__name__)
        with History(home) as past:
            write(past)
        return home

    return {write: written(write) for write, _ in CASES}


def run(line: str, home: Path) -> Result:
    environment = {"AGENTTRACE_HOME": str(home), "AGENTTRACE_FACTORS": "", "COLUMNS": "80"}
    done = CliRunner().invoke(commands, line.split(), env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_the_table_has_every_situation_with_every_command():
    assert [(key, list(COMMANDS.keys() - row.keys())) for key, row in CASES.items()] == [
        (key, []) for key in CASES
    ]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """The reports that were shown as text, to be looked at as JSON without building them again."""
    seen: list[Report] = []
    as_it_is = text.to_text

    def to_text(report: Report, *more: Any) -> str:
        seen.append(report)
        return as_it_is(report, *more)

    monkeypatch.setattr(text, "to_text", to_text)
    return seen


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_what_is_missing_is_said_and_nothing_is_no_figure(homes, built, row):
    write, options, command, (exit_code, sentence) = row
    done = run(f"{COMMANDS[command]} {options}", homes[write])
    said = " ".join(done.output.split())
    assert done.exit_code == exit_code, said
    assert sentence in said
    assert _NO_FIGURE.findall(said) == []
    assert "Traceback" not in said
    printed = [done.stdout] if command == "activity" else [to_json(report) for report in built]
    if exit_code == 0:
        [read] = (json.loads(one, parse_constant=pytest.fail) for one in printed)
        assert [number for number in figures(read) if is_negative_zero(number)] == []


def is_negative_zero(number: float) -> bool:
    return number == 0 and math.copysign(1, number) < 0


def figures(value: Any) -> Iterator[float]:
    match value:
        case dict():
            for inner in value.values():
                yield from figures(inner)
        case list():
            for inner in value:
                yield from figures(inner)
        case float():
            yield value
        case _:
            pass


def test_a_persona_who_asks_nothing_is_refused_by_name(homes, tmp_path: Path):
    personas = tmp_path / "people.toml"
    personas.write_text(
        """
        [[persona]]
        id = "nobody"
        name = "nobody"
        prompts_per_day = 0
        input_tokens = 500
        output_tokens = 300
        class = "large"
        mark = "assumption"
        retrieved = 2026-11-22
        assumption = "Assumption: asks nothing"
        """
    )
    done = run(f"report compare --personas {personas}", homes[both])
    assert done.exit_code == 1
    assert "'nobody' uses nothing" in " ".join(done.output.split())
