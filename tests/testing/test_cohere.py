import pytest

from agenttrace.testing import Failure, ModelProvider, Reply, ToolCall, count_tokens

cohere = pytest.importorskip("cohere")

HELLO = [{"role": "user", "content": "Hello there"}]
INPUT = count_tokens("user: Hello there\n")


@pytest.fixture
def client(provider: ModelProvider):
    with cohere.ClientV2(api_key="test", base_url=provider.cohere_base_url) as made:
        yield made


def test_a_chat_is_counted_and_billed_as_it_is_reported(provider, client):
    provider.script("Good morning to you.")
    answer = client.chat(model="command-a", messages=HELLO)
    assert answer.message.content[0].text == "Good morning to you."
    assert answer.finish_reason == "COMPLETE"
    assert (answer.usage.tokens.input_tokens, answer.usage.tokens.output_tokens) == (INPUT, 5)
    assert answer.usage.billed_units.input_tokens == count_tokens("Hello there")
    (billed,) = provider.ledger
    assert (billed.provider, billed.response_id) == ("cohere", answer.id)
    assert (billed.input_tokens, billed.output_tokens) == (INPUT, 5)


def test_a_stream_adds_up_to_the_whole(provider, client):
    provider.script(Reply("One two.", tool_calls=[ToolCall("search", {"q": "x" * 20})]))
    events = list(client.chat_stream(model="command-a", messages=HELLO))
    text = [one.delta.message.content.text for one in events if one.type == "content-delta"]
    calls = [one.delta.message.tool_calls for one in events if one.type == "tool-call-delta"]
    assert "".join(text) == "One two."
    assert "".join(call.function.arguments for call in calls) == '{"q":"' + "x" * 20 + '"}'
    assert events[-1].delta.finish_reason == "TOOL_CALL"
    assert events[-1].delta.usage.tokens.output_tokens == provider.ledger[0].output_tokens


def test_version_1_is_spoken_too(provider):
    provider.script("One two.", times=2)
    with cohere.Client(api_key="test", base_url=provider.cohere_base_url) as client:
        whole = client.chat(message="Hello there", model="command-r")
        streamed = list(client.chat_stream(message="Hello there", model="command-r"))
    assert whole.text == "One two."
    assert whole.meta.tokens.input_tokens == INPUT
    pieces = [one.text for one in streamed if one.event_type == "text-generation"]
    assert pieces == ["One ", "two."]
    assert streamed[-1].response.meta.tokens.output_tokens == 2


def test_texts_are_embedded_and_ranked(provider, client):
    made = client.embed(
        model="embed-v4.0",
        input_type="search_document",
        embedding_types=["float"],
        texts=["one", "two"],
    )
    assert made.meta.billed_units.input_tokens == count_tokens("onetwo")
    assert len(made.embeddings.float_) == 2
    ranked = client.rerank(
        model="rerank-v3.5", query="a cat", documents=["a dog barks", "the cat", "cat a"]
    )
    assert ranked.results[0].index == 2
    assert [billed.operation for billed in provider.ledger] == ["embeddings", "rerank"]


def test_failures_are_spelt_as_cohere_does(provider, client):
    provider.script(Failure(429))
    with pytest.raises(cohere.errors.TooManyRequestsError):
        client.chat(model="command-a", messages=HELLO, request_options={"max_retries": 0})
    with pytest.raises(cohere.errors.BadRequestError):
        client.chat(model="command-a", messages=[])
    assert provider.ledger == ()
