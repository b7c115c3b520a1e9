"""The real SDK against a local provider, and what was recorded of it as an outline."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from agenttrace.testing import ModelProvider

pytest.importorskip("agents.run", reason="openai-agents is not installed")

from agents import OpenAIChatCompletionsModel, OpenAIResponsesModel
from agents.tracing import set_trace_processors
from openai import AsyncOpenAI

from agenttrace_openai_agents import OpenAIAgentsInstrumentor
from agenttrace_openai_agents.runs import RUNS

APIS = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}


@pytest.fixture
def provider() -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        yield running


@pytest.fixture(autouse=True)
def instrumented(recording: Any) -> Iterator[None]:
    set_trace_processors([])  # the SDK's own would send the traces to its maker
    OpenAIAgentsInstrumentor().instrument()
    yield
    OpenAIAgentsInstrumentor().uninstrument()
    assert len(RUNS) == 0  # every run that began has ended


@pytest.fixture
async def model(provider: ModelProvider) -> AsyncIterator[Callable[..., Any]]:
    """Make a model: ``model("gpt-5")``, with the chat or the responses API."""
    async with AsyncOpenAI(
        base_url=provider.openai_base_url, api_key="test", max_retries=1
    ) as client:
        yield lambda name="gpt-5", api="chat": APIS[api](model=name, openai_client=client)


@pytest.fixture
def outline(spooled: Callable[[], list[dict[str, Any]]]) -> Callable[[], list[str]]:
    """What was recorded, as a tree: kind and name; of a model call its capture, role and agent."""
    return lambda: _outline(spooled())


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
        line = f"{said['agenttrace.capture']} {record['name']}: {place}"
    failed = said.get("error.type")
    return f"{line} !{failed}" if failed else line
