"""Streams share their context with whoever consumes them."""

from itertools import zip_longest
from typing import Any, TypedDict

import openai
import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langgraph.graph import START, StateGraph

import agenttrace
from agenttrace_langchain import AgentTraceCallbackHandler


class State(TypedDict, total=False):
    text: str


def recorded() -> Any:
    return {"callbacks": [AgentTraceCallbackHandler()]}


@pytest.fixture(params=["model", "chain", "graph"])
def streaming(request, models) -> Any:
    """Something to stream from, and what to give it."""
    model = models.gpt()
    if request.param == "model":
        return model, "Hello"
    if request.param == "chain":
        return ChatPromptTemplate.from_template("{text}") | model, {"text": "Hello"}
    node = {"ask": lambda state: {"text": model.invoke(state["text"]).text}}
    graph = StateGraph(State).add_sequence([*node.items(), ("end", lambda state: {})])
    return graph.add_edge(START, "ask").compile(name="asker"), {"text": "Hello"}


def raw_call(provider: Any) -> None:
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as client:
        client.embeddings.create(model="embed", input="x")


def raw_calls(spooled: Any) -> list[tuple[Any, Any]]:
    """Task and parent of the raw calls."""
    return [
        (record["attributes"].get("task.id"), record["parent_span_id"])
        for record in spooled()
        if record["name"] == "embed"
    ]


def test_a_call_of_the_consumer_is_not_inside_the_stream(streaming, provider, recording, spooled):
    runnable, given = streaming
    for _ in runnable.stream(given, recorded()):
        raw_call(provider)
    raw_call(provider)
    found = raw_calls(spooled)
    assert len(found) > 2
    assert set(found) == {(None, None)}


def test_a_call_of_an_async_consumer_is_not_inside_the_stream(
    streaming, models, provider, recording, spooled
):
    runnable, given = streaming

    async def consume() -> None:
        async for _ in runnable.astream(given, recorded()):
            raw_call(provider)
        raw_call(provider)

    models.run(consume())
    found = raw_calls(spooled)
    assert len(found) > 2
    assert set(found) == {(None, None)}


def test_a_call_after_an_async_run_is_not_inside_it(
    streaming, models, provider, recording, spooled
):
    runnable, given = streaming

    async def ask_twice() -> None:
        with agenttrace.task("outer"):
            await runnable.ainvoke(given, recorded())
            raw_call(provider)
        await runnable.ainvoke(given, recorded())
        raw_call(provider)

    models.run(ask_twice())
    outer = next(record for record in spooled() if record["name"] == "outer")
    assert raw_calls(spooled) == [
        (outer["attributes"]["task.id"], outer["span_id"]),
        (None, None),
    ]


def test_interleaved_streams_keep_apart(streaming, recording, spooled):
    runnable, given = streaming
    first, second = (runnable.stream(given, recorded()) for _ in range(2))
    assert len(list(zip_longest(first, second))) > 1
    wires = [one for one in spooled() if one["attributes"]["agenttrace.kind"] == "inference"]
    assert len(wires) == 4  # two frames, each with its call at the wire
    assert len({record["trace_id"] for record in wires}) == 2
    assert agenttrace.current() is None


def test_a_stream_left_half_way_is_abandoned(provider, models, outline, spooled):
    provider.script("One two three four five six seven.")
    stream = models.gpt().stream("Count", recorded())
    next(stream)
    stream.close()
    assert outline() == ["frame gpt-5: main of nobody", "  wire gpt-5: main of nobody"]
    outcomes = [record["attributes"]["agenttrace.outcome"] for record in spooled()]
    assert outcomes == ["abandoned", "abandoned"]


def test_a_graph_left_half_way_ends(models, outline):
    model = models.gpt()
    graph = StateGraph(State).add_sequence(
        [("ask", lambda state: model.invoke("Hello") and {}), ("never", lambda state: {})]
    )
    stream = graph.add_edge(START, "ask").compile(name="asker").stream({"text": ""}, recorded())
    next(stream)
    stream.close()
    assert outline() == [
        "agent asker",
        "  step ask",
        "    frame gpt-5: main of asker",
        "      wire gpt-5: main of asker",
    ]
    assert agenttrace.current() is None


def test_a_step_of_a_streamed_chain_is_inside_it(provider, recording, spooled):
    def embed(text: str) -> str:
        raw_call(provider)
        return text

    chain = (RunnableLambda(embed) | RunnableLambda(str.upper)).with_config(run_name="loader")
    assert list(chain.stream("x", recorded())) == ["X"]
    loader = next(record for record in spooled() if record["name"] == "loader")
    assert raw_calls(spooled) == [(loader["attributes"]["task.id"], loader["span_id"])]
