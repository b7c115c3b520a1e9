"""A figure for each of something stands beside how much in all and of how many: the law of reports.

The first part reads the values that reports hold, the second what reports print.
"""

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import pytest
from click.testing import CliRunner

import agenttrace.report
from agenttrace.cli import commands
from agenttrace.compare.calculator import Estimate
from agenttrace.report.intensity import Intensity
from tests.builders import Record, add, agent, chat, fact, later, spans, task

CONSTANTS: Final = {
    "g_per_kwh": "the electricity of a place",
    "average_g_per_kwh": "the electricity of a place",
    "residual_g_per_kwh": "the electricity of a place",
    "marginal_g_per_kwh": "the electricity of a place",
    "l_per_kwh": "the water of a place",
    "prompts_per_day": "what defines a persona",
    "j_per_unit": "a coefficient of the formula that is explained, beside its amount",
}
"""Fields that are constants, whoever uses how much, by what they are constants of."""

NO_FIGURE: Final = {
    "Change.each": "a part of an Intensity",
    "Choices.cache": "what the user chooses",
    "Line.unknown_tasks": "a count of tasks",
    "ReboundLine.ratio": "made of totals; its words tell what they are divided by",
    "Spread.per": "the name of what a spread is of, which has its total, its number and its period",
    "Trend.rebound": "made of totals; its words tell what they are divided by",
}
"""Fields that are no figure for each of something, though their names or words sound so."""

_OF_USE: Final = (
    r"(?:1,000 )?(?:calls?|tasks?|tokens?|prompts?|users?|persons?|turns?|outcomes?|agents?|steps?"
    r"|requests?|executions?|workflows?|successes|success)"
)
_IN_NAME: Final = re.compile(r"(^|_)(per|each|intensity)(_|$)")
_IN_WORDS: Final = re.compile(
    rf"\b(?:per|for each|of each|for every)(?: successful| user)? {_OF_USE}\b", re.IGNORECASE
)
_ROWS: Final = re.compile(r"\b(?:one|line|lines|row|rows|value|values|a)(?: \w+)? per ", re.I)
_ATTRIBUTE: Final = re.compile(r"^\s+(\w+): (.*)$")


def values() -> Iterator[type[Any]]:
    """Yield every public dataclass of the reports, once."""
    found: dict[str, type[Any]] = {"Estimate": Estimate}
    for module in pkgutil.walk_packages(agenttrace.report.__path__, "agenttrace.report."):
        for name, one in vars(importlib.import_module(module.name)).items():
            is_own = getattr(one, "__module__", "").startswith("agenttrace.report")
            if is_own and isinstance(one, type) and dataclasses.is_dataclass(one):
                found[f"{one.__module__}.{name}"] = one
    yield from dict.fromkeys(found.values())


def said_of(one: type[Any]) -> dict[str, str]:
    """Return what the docstring says of each field."""
    found: dict[str, str] = {}
    field = ""
    for line in (one.__doc__ or "").partition("Attributes:")[2].splitlines():
        if (match := _ATTRIBUTE.match(line)) is not None:
            field = match[1]
            found[field] = match[2]
        elif field:
            found[field] += f" {line.strip()}"
    return found


def is_for_each(name: str, said: str) -> bool:
    """Tell whether a field is a figure for each of something that people and agents use."""
    if _IN_NAME.search(name):
        return True
    return bool(_IN_WORDS.search(said)) and not _ROWS.search(said)


def holds_intensity(type_: object) -> bool:
    """Tell whether a type is an Intensity, or several of them."""
    parts = get_args(type_)
    return type_ is Intensity or any(holds_intensity(part) for part in parts)


VALUES: Final = [one for one in values() if one is not Intensity]


def test_the_law_sees_every_report():
    kinds = {getattr(one, "kind", None) for one in VALUES}
    assert {"overview", "task", "models", "carbon", "methods", "parity", "explain"} <= kinds
    assert {"what_if", "claims", "hidden", "compare", "trend", "outcomes", "estimate"} <= kinds


@pytest.mark.parametrize("one", VALUES, ids=lambda one: one.__qualname__)
def test_a_figure_for_each_of_something_is_an_intensity(one: type[Any]):
    said = said_of(one)
    alone = [
        field.name
        for field in dataclasses.fields(one)
        if field.name not in CONSTANTS
        and f"{one.__name__}.{field.name}" not in NO_FIGURE
        and is_for_each(field.name, said.get(field.name, ""))
        and not holds_intensity(types_of(one)[field.name])
    ]
    # Such a field is an Intensity, which has its total and its volume, or is a constant and says
    # above why.
    assert alone == []


def types_of(one: type[Any]) -> dict[str, Any]:
    return get_type_hints(one, vars(importlib.import_module(one.__module__)))


def test_no_exception_is_of_a_field_that_is_gone():
    fields = [(one.__name__, field.name) for one in VALUES for field in dataclasses.fields(one)]
    assert {f"{name}.{field}" for name, field in fields} >= set(NO_FIGURE)
    assert {field for _, field in fields} >= set(CONSTANTS)


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("wh_per_call", "", True),
        ("each", "Its energy.", True),
        ("grid_intensity", "Of the grid.", True),
        ("spent", "Energy per call, central.", True),
        ("spent", "Energy for each user turn.", True),
        ("spent", "Energy of all calls.", False),
        ("lines", "One per boundary.", False),
        ("lines", "One line per task, most energy first.", False),
        ("percent", "Part of the calls.", False),
    ],
)
def test_the_law_knows_a_figure_for_each_of_something(name: str, said: str, expected: bool):
    assert is_for_each(name, said) == expected


# What is printed.

_PRINTED: Final = re.compile(
    rf"(?:energy|carbon|water) per (person-day|(?:1,000 |user |successful )*{_OF_USE})\b"
    r"[^\n]*\d (?:[µmkMG]?Wh|[µmk]?g CO2e|m?l)\b"
)

COMMANDS: Final = (
    "report",
    "report task fix-0",
    "report models",
    "report methods",
    "report carbon",
    "report parity",
    "report hidden",
    "report compare",
    "report trend",
    "report outcomes",
    "report claims",
    "explain",
    "what-if --batch 8",
    "project --agents 10 --hours-per-week 40 --people 100",
    "estimate --model gpt-5 --input 500 --output 300 --calls 40",
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four days of an agent's runs, one that succeeds each day, and of people who ask."""
    home = tmp_path_factory.mktemp("sample") / "home"
    records: list[Record] = []
    for day in range(4):
        run = task(
            "fix",
            agent("coder", *(chat(input=900 + day, output=100) for _ in range(5 + day))),
            fact(task_outcome="success", outcome_reference="PR 1"),
            task_id=f"fix-{day}",
        )
        ask = task(
            "ask",
            chat(input=90, output=10),
            workload="user-facing",
            user_hash=f"{day}",
            task_id=f"ask-{day}",
        )
        of_day = [*spans(run, trace=2 * day + 1), *spans(ask, trace=2 * day + 2)]
        records += later(of_day, day * 24 * 3600)
    add(home, records)
    return home


def alone(block: str) -> list[str]:
    """Return what a block divides energy, carbon or water by, without total and number in it."""
    return [
        per
        for per in _PRINTED.findall(block)
        if "in all" not in block or f"{per.rpartition(' ')[2].removesuffix('s')}s" not in block
    ]


@pytest.mark.parametrize("line", COMMANDS)
def test_no_report_prints_a_figure_alone(recorded: Path, line: str):
    env = {"AGENTTRACE_HOME": str(recorded), "COLUMNS": "100"}
    result = CliRunner().invoke(commands, line.split(), env=env)
    assert result.exit_code == 0, result.output
    for block in result.output.split("\n\n"):
        assert alone(block) == [], block


@pytest.mark.parametrize("line", ["report hidden", "report compare", "report trend"])
def test_reports_that_divide_print_the_total_and_the_number_beside(recorded: Path, line: str):
    env = {"AGENTTRACE_HOME": str(recorded), "COLUMNS": "100"}
    said = CliRunner().invoke(commands, line.split(), env=env).output
    tables = [block for block in said.split("\n\n") if re.search(r" each +in all +of", block)]
    assert tables
    for block in tables:
        assert _PRINTED.search(block), block
        for row in block.splitlines():
            if _PRINTED.search(row):
                assert re.search(r"Wh .*Wh|CO2e .*CO2e", row), row
                assert re.search(r"\d [a-z-]+( [a-z]+)?$", row), row


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("energy per task 3 mWh", ["task"]),
        ("energy per 1,000 tokens 3 mWh; 7 Wh in all, 2,000 tokens", []),
        ("energy per user turn: 3 mWh of 7 user turns", ["user turn"]),
        ("energy per token +3 mWh", ["token"]),
        ("calls per task 3", []),
        ("7 Wh; 3 calls", []),
    ],
)
def test_the_law_sees_a_figure_that_is_printed_alone(block: str, found: list[str]):
    assert alone(block) == found
