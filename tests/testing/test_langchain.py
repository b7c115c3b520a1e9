from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from agenttrace.testing import Reply, ToolCall


@tool
def search(q: str) -> str:
    """Find something."""
    return f"found {q}"


class City(BaseModel):
    """A city."""

    name: str


@pytest.fixture(params=["chat", "responses", "anthropic"])
def model(request, provider) -> Any:
    if request.param == "anthropic":
        return ChatAnthropic(
            model_name="claude-haiku-4-5", base_url=provider.anthropic_base_url, api_key="test"
        )
    return ChatOpenAI(
        model="gpt-5",
        base_url=provider.openai_base_url,
        api_key="test",
        use_responses_api=request.param == "responses",
    )


def test_usage_is_what_was_billed(provider, model):
    provider.script(Reply("Good morning.", thinking="x" * 40))
    message = model.invoke([SystemMessage("Be terse."), HumanMessage("Hello")])
    [billed] = provider.ledger
    assert message.text == "Good morning."
    assert message.usage_metadata["input_tokens"] == billed.input_tokens > 0
    assert message.usage_metadata["output_tokens"] == billed.output_tokens == 14
    assert message.response_metadata["id"] == billed.response_id


def test_a_stream_is_heard_to_its_end(provider, model):
    provider.script("Good morning to you.")
    assert "".join(chunk.text for chunk in model.stream("Hello")) == "Good morning to you."
    assert provider.ledger[0].outcome == "complete"


async def test_async_is_answered(provider, model):
    provider.script("Good morning.", times=2)
    answer = await model.ainvoke("Hello")
    pieces = [chunk.text async for chunk in model.astream("Hello") if chunk.text]
    # LangChain keeps its clients for ever; this one's event loop ends here.
    await (getattr(model, "root_async_client", None) or model._async_client).close()
    assert answer.text == "Good morning."
    assert pieces == ["Good ", "morning."]


def test_tools_are_called(provider, model):
    provider.script(Reply(tool_calls=[ToolCall("search", {"q": "tea"})]))
    [call] = model.bind_tools([search]).invoke("Find tea").tool_calls
    assert (call["name"], call["args"]) == ("search", {"q": "tea"})
    assert list(provider.requests[0].tools) == ["search"]


def test_structured_output_is_filled(model):
    assert model.with_structured_output(City).invoke("Where?") == City(name="text")


def test_embeddings_are_made(provider):
    embeddings = OpenAIEmbeddings(
        model="text-embedding-3-small",
        base_url=provider.openai_base_url,
        api_key="test",
        # Text as it is: cutting it into a model's tokens would fetch their list from the net.
        check_embedding_ctx_length=False,
    )
    assert len(embeddings.embed_documents(["one", "two"])) == 2
    assert provider.ledger[0].input_tokens == 2
