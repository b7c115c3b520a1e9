"""Every scenario is recorded as it was billed, alone and beside another instrumentation."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from agenttrace.cli import commands
from agenttrace.conformance import runner, scenarios, table
from agenttrace.conformance.judge import MEASURES
from agenttrace.conformance.runner import Outcome, Setup
from agenttrace.conformance.scenarios import Scenario
from agenttrace.errors import ConfigError

SCENARIOS = scenarios.find()
SECOND = "tests.conformance.second:Second"
CALLBACKS = "tests.conformance.second:Callbacks"
BESIDE = scenarios.find(
    [
        "anthropic/messages",
        "anthropic/stream_helper",
        "company/anthropic_spans",
        "company/provider_set_after",
        "concurrency/gather",
        "langchain/sub_agent",
        "openai/embeddings",
        "openai/retry_billed",
        "openai/stream_left",
        "openai/stream_with_usage",
        "processes/fork",
    ]
)

Await = Callable[[Scenario, Setup], Outcome]


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest) -> Iterator[Await]:
    """Run what is selected, two programs at a time, ahead of the tests that look at it."""
    selected = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = [spec.params for spec in selected if spec and "setup" in spec.params]
    with ThreadPoolExecutor(2) as pool, pytest.MonkeyPatch.context() as patch:
        # Other tests cover what the programs lead to, and tracing them takes a quarter more.
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        begun = {
            (one["scenario"].name, one["setup"]): pool.submit(
                runner.run, one["scenario"], one["setup"]
            )
            for one in wanted
        }
        yield lambda scenario, setup: begun[scenario.name, setup].result()
        pool.shutdown(cancel_futures=True)


def parameters(found: list[Scenario], *setups: Setup) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("scenario", "setup"),
        [
            pytest.param(
                scenario,
                setup,
                id=scenario.name if setup.beside is None else f"{scenario.name}-{setup.order}",
            )
            for scenario in found
            for setup in setups
        ],
    )


@parameters(SCENARIOS, Setup())
def test_every_call_is_counted_once_as_it_was_billed(scenario, setup, outcome: Await):
    check(outcome(scenario, setup))


@parameters(BESIDE, Setup(beside=SECOND, order="first"), Setup(beside=SECOND, order="last"))
def test_a_second_instrumentation_changes_nothing(scenario, setup, outcome: Await):
    check(outcome(scenario, setup))


@parameters(
    scenarios.find(["openai/chat"]),
    Setup(beside=CALLBACKS, order="first"),
    Setup(beside=CALLBACKS, order="last"),
)
def test_spans_that_are_around_nothing_change_nothing(scenario, setup, outcome: Await):
    check(outcome(scenario, setup))


def check(done: Outcome) -> None:
    if done.missing:
        pytest.skip(f"not installed: {', '.join(done.missing)}")
    assert done.trouble == "", done.stderr
    cells = {
        name: (cell.state.value, cell.recorded, cell.expected) for name, cell in done.cells.items()
    }
    assert {name: cells[name] for name in done.unexpected} == {}
    # What recording could not do it says on stderr.
    assert "your program is not affected" not in done.stderr


def test_there_are_enough_scenarios_and_each_makes_a_claim_of_its_own():
    assert len(SCENARIOS) >= 60
    assert len({scenario.claim for scenario in SCENARIOS}) == len(SCENARIOS)
    for scenario in SCENARIOS:
        assert re.fullmatch(r"[^\n]+[.?]", scenario.claim), scenario.name


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_call_of_a_program_says_whose_it_is(scenario: Scenario):
    # So that a program that is added without marks is not judged by less.
    assert re.search(r"\[[^/\[\]]+/[^/\[\]]+/[^/\[\]]+\]", scenario.path.read_text())


def test_a_program_that_needs_what_is_not_installed_does_not_pass(tmp_path: Path):
    program = tmp_path / "group" / "program.py"
    program.parent.mkdir()
    program.write_text('"""A claim."""\n\nimport no_such_package.inside\nimport json\n')
    done = runner.run(scenarios.read(program), Setup())
    assert done.missing == ("no_such_package",)
    assert not done.is_exact
    assert table.sums([done])[0].scenarios == 0


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        ("pass", "no call was billed"),
        ("raise SystemExit(3)", "exit status 3: no word"),
        ("1 / 0", "exit status 1: ZeroDivisionError: division by zero"),
        ("import time; time.sleep(9)", "did not end within 0.5 s"),
    ],
)
def test_a_program_that_goes_wrong_is_said(tmp_path: Path, body: str, trouble: str):
    program = tmp_path / "program.py"
    program.write_text(f'"""A claim."""\n{body}\n')
    done = runner.run(scenarios.read(program), Setup(timeout_s=0.5 if "sleep" in body else 20))
    assert done.trouble == trouble
    assert not done.is_as_it_should_be


def test_a_call_that_says_not_whose_it_is_is_a_mistake_of_the_program(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text(
        '"""A claim."""\n'
        "import os, urllib.request\n"
        'body = b\'{"model": "m", "messages": [{"role": "user", "content": "Hi."}]}\'\n'
        "url = os.environ['OPENAI_BASE_URL'] + '/chat/completions'\n"
        "urllib.request.urlopen(url, body).read()\n"
    )
    done = runner.run(scenarios.read(program), Setup())
    assert done.trouble == "1 of 1 calls do not say whose they are"


def test_reasons_are_read_from_the_docstring(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text('"""A claim.\n\ninput: nobody says it\nother: no measure\n"""\n')
    assert scenarios.read(program).reasons == {"input": "nobody says it"}


def run_command(*arguments: str):
    return CliRunner().invoke(commands, ["conformance", *arguments])


def test_the_command_shows_a_table_the_reasons_and_the_sums():
    result = run_command("--only", "openai/chat", "--only", "openai/stream_left")
    assert result.exit_code == 0, result.output
    assert re.search(r"openai/chat +1 +0 +\d+ +- +- +\d+ +- +1 +1 +1 +1", result.output)
    assert re.search(r"openai/stream_left +1 +0 +~ [+-]\d+%", result.output)
    assert "openai/stream_left, output: the provider says it at the end" in result.output
    assert re.search(r"agenttrace +100 +0 .* 2 of 2", result.output)


def test_the_command_fails_where_a_cell_is_wrong_and_measures_other_tracers():
    # This one records nothing at all.
    lost = run_command("--tracer", SECOND, "--only", "openai/chat", "--format", "json")
    assert lost.exit_code == 0, "only ours has to be right"
    [found] = json.loads(lost.output)
    assert found["cells"]["calls"] == {"state": "wrong", "recorded": 0, "expected": 1}
    assert not found["exact"]


def test_the_command_names_the_scenarios_and_runs_none():
    result = run_command("--list", "--only", "wire/*")
    assert result.exit_code == 0
    names = [line.split()[0] for line in result.output.splitlines()]
    assert names == [scenario.name for scenario in scenarios.find(["wire/*"])]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "no/such"], "no scenario is called no/such"),
        (["--tracer", "nobody"], "no tracer is called nobody. There is: agenttrace"),
        (["--tracer", "nowhere:Nothing"], "the tracer nowhere:Nothing cannot be loaded"),
        (["--beside", "agenttrace"], "agenttrace cannot be beside itself"),
    ],
)
def test_what_the_command_does_not_know_is_said(arguments: list[str], said: str):
    result = run_command(*arguments)
    assert result.exit_code == 1
    assert said in result.output


def test_markdown_has_a_row_for_each_scenario(tmp_path: Path):
    program = tmp_path / "group" / "program.py"
    program.parent.mkdir()
    program.write_text('"""A claim."""\n\nimport no_such_package\n')
    text = table.to_markdown([runner.run(scenarios.read(program), Setup())])
    assert "| group/program | not installed (no_such_package) |" in text
    lines = [line for line in text.splitlines() if line.startswith("| group/")]
    assert [line.count("|") for line in lines] == [len(MEASURES) + 2]


def test_a_tracer_that_is_not_there_is_refused_before_anything_runs():
    with pytest.raises(ConfigError):
        runner.setups(["nobody"], None, "both", 1.0)


def test_the_table_in_the_guide_has_every_scenario():
    guide = Path(__file__).parents[2] / "docs" / "conformance.md"
    named = re.findall(r"^\| ([a-z]+/[a-z0-9_]+) \|", guide.read_text(), flags=re.MULTILINE)
    assert named == [scenario.name for scenario in SCENARIOS]
