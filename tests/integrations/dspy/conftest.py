"""A real model of DSPy against a local provider."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Read when the library beneath DSPy is imported: prices come out of the package, not the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import pytest

dspy = pytest.importorskip("dspy")

import agenttrace  # noqa: E402 - the environment comes first
from agenttrace.testing import ModelProvider  # noqa: E402
from agenttrace_dspy import DSPyInstrumentor  # noqa: E402

# The library beneath DSPy, before DSPy made requests by itself.
_THEIRS = (
    "ignore::UserWarning:pydantic",
    "ignore::DeprecationWarning:litellm",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for warning in _THEIRS:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture
def calls(recording: Path, provider: ModelProvider) -> Callable[[], list[str]]:
    """The counted calls, as ``task: role of agent``; they are those that the provider billed."""

    def read() -> list[str]:
        with agenttrace.read(recording) as reader:
            rows = list(reader.query("SELECT * FROM model_call ORDER BY started_at, span_id"))
        counted = [(row["response_id"], row["input_tokens"], row["output_tokens"]) for row in rows]
        assert sorted(counted) == sorted(
            (bill.response_id, bill.input_tokens, bill.output_tokens) for bill in provider.ledger
        )
        return [f"{row['task_name']}: {row['role']} of {row['agent'] or 'nobody'}" for row in rows]

    return read


@pytest.fixture
def outline(spooled: Callable[[], list[dict[str, Any]]]) -> Callable[[], list[str]]:
    """What was recorded, as a tree; of a call the meter or else DSPy tells role and agent."""
    return lambda: _outline(spooled())


def _outline(records: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []

    def below(parent: str | None, depth: int) -> None:
        for record in records:
            if record["parent_span_id"] == parent:
                lines.append("  " * depth + _line(record))
                if record["attributes"]["agenttrace.kind"] != "inference":
                    below(record["span_id"], depth + 1)

    below(None, 0)
    return lines


def _line(record: dict[str, Any]) -> str:
    said = record["attributes"]
    line = f"{said['agenttrace.kind']} {record['name']}"
    if said["agenttrace.kind"] == "inference":
        line = f"call: {said['agenttrace.role']} of {said.get('gen_ai.agent.name', 'nobody')}"
    return f"{line} !" if said.get("error.type") else line


@pytest.fixture
def gpt(provider: ModelProvider) -> Any:
    return dspy.LM("openai/gpt-4o", api_base=provider.openai_base_url, api_key="test", cache=False)


@pytest.fixture(autouse=True)
def instrumented(recording: Path, gpt: Any) -> Iterator[DSPyInstrumentor]:
    """Every run that begins is ended, so nothing is kept of it."""
    instrumentor = DSPyInstrumentor()
    instrumentor.instrument()
    callback = dspy.settings.get("callbacks")[-1]
    with dspy.context(lm=gpt, adapter=dspy.JSONAdapter()):
        yield instrumentor
    instrumentor.uninstrument()
    assert len(callback) == 0
    gc.collect()  # what the library beneath leaves open says so now, where the filters hold
