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


def test_every_example_is_run_and_listed():
    files = {path.stem for path in EXAMPLES.glob("*.py")}
    assert files == set(CALLS)
    listed = (EXAMPLES / "README.md").read_text()
    assert [name for name in files if f"[`{name}.py`]({name}.py)" not in listed] == []
