"""Every example runs offline, as a newcomer runs it, and leaves what it promises in the store."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import agenttrace

EXAMPLES = Path(__file__).parents[1] / "examples"

# (task, agent, role, model) of every call, in the order in which they began.
CALLS = {
    "decorator": [("advise", None, "main", "gpt-5"), ("advise", None, "main", "gpt-5")],
    "langchain_callback": [("translate", None, "main", "gpt-5-mini")],
    "langgraph_agents": [
        ("write a sentence", "editor", "main", "gpt-5"),
        ("write a sentence", "researcher", "subagent", "gpt-5-mini"),
        ("write a sentence", "researcher", "subagent", "gpt-5-mini"),
        ("write a sentence", "editor", "main", "gpt-5"),
    ],
    "child_process": [
        ("a question, three ways", "helper", "main", "gpt-5-mini"),
        ("a question, three ways", None, "main", "gpt-5-mini"),
        ("a question, three ways", None, "main", "gpt-5-mini"),
    ],
    "read_store": [
        ("two questions", None, "main", "gpt-5-mini"),
        ("two questions", None, "main", "gpt-5"),
    ],
}

SAYS = {
    "decorator": "Take a light jacket.\n",
    "langchain_callback": "Le thé vert.\n",
    "langgraph_agents": "Tea comes from an evergreen shrub.\n",
    "child_process": (
        "You said: What is tea?\n"
        "You said: What is tea? Briefly.\n"
        "You said: What is tea? In French.\n"
    ),
}


def run(name: str, home: Path) -> str:
    return subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"],
        env=os.environ | {"AGENTTRACE_HOME": str(home), "PYTHONIOENCODING": "utf-8"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ).stdout


def calls(home: Path) -> list[tuple[Any, ...]]:
    with agenttrace.read(home) as reader:
        rows = reader.query("FROM model_call ORDER BY started_at")
    return [(row["task_name"], row["agent"], row["role"], row["model"]) for row in rows]


@pytest.mark.parametrize("name", sorted(SAYS))
def test_an_example_says_what_it_should_and_its_calls_are_in_the_store(name: str, tmp_path: Path):
    assert run(name, tmp_path) == SAYS[name]
    assert calls(tmp_path) == CALLS[name]


def test_the_store_is_read_from_python(tmp_path: Path):
    said = run("read_store", tmp_path)
    assert calls(tmp_path) == CALLS["read_store"]
    assert "'calls': 2" in said
    assert said.count("'usage': 'reported'") == 1
    assert said.count("'usage': 'estimated'") == 1


_WEEKS = """
SELECT
    task_workload.workload,
    strftime(model_call.started_at, '%G-W%V') AS week,
    count(*) AS calls,
    median(model_call.cache_read_tokens) AS cached,
    median(model_call.input_tokens - model_call.cache_read_tokens) AS new,
    median(model_call.output_tokens) AS output,
    sum(model_call.input_tokens) / sum(model_call.output_tokens) AS input_to_output,
    sum(model_call.cache_read_tokens) / sum(model_call.input_tokens) AS cached_share,
    count(*) / count(DISTINCT model_call.task_id) AS steps_a_request,
    count(DISTINCT task_workload.user_hash) AS people
FROM model_call
INNER JOIN task_workload ON model_call.task_id = task_workload.task_id
GROUP BY ALL
ORDER BY ALL
"""


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    home = tmp_path_factory.mktemp("weeks")
    command = [sys.executable, EXAMPLES / "coding_agent_week.py", "--home", home]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"agenttrace --store {home} report claims" in said
    with agenttrace.read(home) as reader:
        return reader.query(_WEEKS)


def test_the_simulated_week_has_the_steps_of_a_coding_agent(weeks: list[dict[str, Any]]):
    [week] = [row for row in weeks if (row["workload"], row["week"]) == ("agentic", "2026-W46")]
    assert week["calls"] == 19_139
    # Medians and ratios of TraceLab, arXiv 2606.30560.
    assert week["cached"] == pytest.approx(118_656, rel=0.02)
    assert week["new"] == pytest.approx(875, rel=0.02)
    assert week["output"] == pytest.approx(214, rel=0.02)
    assert week["steps_a_request"] == pytest.approx(8.8, rel=0.02)
    assert week["input_to_output"] == pytest.approx(294, rel=0.02)
    assert week["cached_share"] == pytest.approx(0.96, abs=0.005)


def test_the_simulated_weeks_have_both_workloads(weeks: list[dict[str, Any]]):
    assert [(row["workload"], row["week"], row["people"]) for row in weeks] == [
        ("agentic", "2026-W45", 12),
        ("agentic", "2026-W46", 12),
        ("user-facing", "2026-W45", 25),
        ("user-facing", "2026-W46", 25),
    ]
    before, week = (row["calls"] for row in weeks if row["workload"] == "agentic")
    assert before < week


def test_the_weeks_go_into_a_folder_of_their_own_unless_one_is_named(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, EXAMPLES / "coding_agent_week.py"],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    [home] = tmp_path.iterdir()
    assert f"are in {home}." in done.stdout
    assert [path.name for path in home.iterdir()] == ["spool"]


def test_a_folder_that_holds_something_is_not_written_into(tmp_path: Path):
    (tmp_path / "spool").mkdir()
    command = [sys.executable, EXAMPLES / "coding_agent_week.py", "--home", tmp_path]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "holds something already" in done.stderr


def test_every_example_is_run_and_listed():
    files = {path.stem for path in EXAMPLES.glob("*.py")}
    # That which needs `agenttrace run` is run in tests/launch/test_running.py.
    assert files == {*CALLS, "coding_agent_week", "zero_code"}
    listed = (EXAMPLES / "README.md").read_text()
    assert [name for name in files if f"[`{name}.py`]({name}.py)" not in listed] == []
