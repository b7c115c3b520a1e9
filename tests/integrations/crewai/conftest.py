"""Real crews against a local provider, and what was recorded of them as an outline."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Read when CrewAI is imported: tests send nothing to anybody but the local provider.
for _name in (
    "CREWAI_DISABLE_TELEMETRY",
    "CREWAI_DISABLE_TRACKING",
    "CREWAI_DISABLE_VERSION_CHECK",
    "CREWAI_TESTING",
):
    os.environ[_name] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"

import pytest  # noqa: E402 - the environment comes first

crewai = pytest.importorskip("crewai")

import agenttrace  # noqa: E402
from agenttrace.testing import ModelProvider  # noqa: E402
from agenttrace_crewai import CrewAIInstrumentor  # noqa: E402
from agenttrace_crewai.frames import OPEN  # noqa: E402

Outline = Callable[[], list[str]]

# CrewAI uses what it has deprecated itself, and leaves its asynchronous clients open.
_THEIRS = (
    "ignore::DeprecationWarning:crewai",
    "ignore:unclosed:ResourceWarning",
    "ignore:Exception ignored in. <(socket|function _SelectorTransport)"
    ":pytest.PytestUnraisableExceptionWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for warning in _THEIRS:
                item.add_marker(pytest.mark.filterwarnings(warning))


class Team:
    """Makes agents, tasks and crews that talk to the provider."""

    def __init__(self, provider: ModelProvider) -> None:
        self.provider = provider

    def gpt(self, **options: Any) -> Any:
        return crewai.LLM(
            model="openai/gpt-4o",
            base_url=self.provider.openai_base_url,
            api_key="test",
            **options,
        )

    def agent(self, role: str, **options: Any) -> Any:
        options.setdefault("llm", self.gpt())
        return crewai.Agent(role=role, goal="Help", backstory="A hand", **options)

    def task(self, agent: Any = None, **options: Any) -> Any:
        options = {"description": "Secret words", "expected_output": "A line", **options}
        return crewai.Task(agent=agent, **options)

    def crew(self, *tasks: Any, **options: Any) -> Any:
        agents = options.pop("agents", None) or [task.agent for task in tasks]
        return crewai.Crew(agents=agents, tasks=list(tasks), cache=False, **options)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        for name, value in running.env().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def team(provider: ModelProvider) -> Team:
    return Team(provider)


@pytest.fixture(autouse=True)
def nobody_else_is_called(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """CrewAI asks its own servers for several things; here it does not."""
    asked: list[Any] = []
    resolve = socket.getaddrinfo

    def note(host: Any, *args: Any, **options: Any) -> Any:
        if host not in ("127.0.0.1", "localhost", None):
            asked.append(host)
            raise OSError("no network in tests")
        return resolve(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", note)
    yield
    assert asked == []


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CrewAI keeps the outputs of tasks in a folder of the user's."""
    monkeypatch.setenv("CREWAI_STORAGE_DIR", str(tmp_path / "crewai"))


@pytest.fixture(autouse=True)
def instrumented(recording: Path) -> Iterator[CrewAIInstrumentor]:
    """Every frame that begins is ended, so nothing is kept of it."""
    instrumentor = CrewAIInstrumentor()
    instrumentor.instrument()
    yield instrumentor
    instrumentor.uninstrument()
    left = OPEN.values()
    OPEN.clear()
    assert not left


@pytest.fixture
def outline(spooled: Callable[[], list[dict[str, Any]]]) -> Outline:
    """What was recorded, as a tree: kind and name; of a model call its capture, role and agent."""
    return lambda: _outline(spooled())


@pytest.fixture
def counted(recording: Path, provider: ModelProvider) -> Callable[[], list[tuple[Any, ...]]]:
    """Task, agent and role of each call that counts; these are the calls that were billed."""

    def read() -> list[tuple[Any, ...]]:
        with agenttrace.read(recording) as reader:
            calls = list(reader.query("SELECT * FROM model_call ORDER BY started_at"))
        assert len(calls) == len(provider.ledger)
        assert sorted(
            (call["input_tokens"], call["output_tokens"])
            for call in calls
            if call["usage"] == "reported"
        ) == sorted(
            (billed.input_tokens, billed.output_tokens)
            for billed in provider.ledger
            if billed.usage == "reported"
        )
        return [(call["task_name"], call["agent"], call["role"]) for call in calls]

    return read


def _outline(records: list[dict[str, Any]]) -> list[str]:
    known = {record["span_id"] for record in records}
    lines: list[str] = []

    def below(parent: str | None, depth: int) -> None:
        for record in records:
            above = record["parent_span_id"]
            if above == parent if parent else above not in known:
                stray = "" if parent or above is None else "stray "
                lines.append("  " * depth + stray + _line(record))
                below(record["span_id"], depth + 1)

    below(None, 0)
    return lines


def _line(record: dict[str, Any]) -> str:
    said = record["attributes"]
    line = f"{said['agenttrace.kind']} {record['name']}"
    if said["agenttrace.kind"] == "inference":
        place = f"{said['agenttrace.role']} of {said.get('gen_ai.agent.name', 'nobody')}"
        line = f"{said['agenttrace.capture']}: {place}"
    failed = said.get("error.type")
    return f"{line} !{failed}" if failed else line
