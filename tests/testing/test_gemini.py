import json
from typing import Any

import httpx
import pytest

from agenttrace.testing import Billed, Failure, ModelProvider, Reply, ToolCall, count_tokens

genai = pytest.importorskip("google.genai")
from google.genai import errors, types  # noqa: E402

MODEL = "gemini-2.5-flash"
PROMPT = "system: Be terse.\nuser: Hello there\n"  # 36 characters, 9 tokens


@pytest.fixture
def client(provider: ModelProvider):
    options = types.HttpOptions(base_url=provider.gemini_base_url)
    with genai.Client(api_key="test", http_options=options) as made:
        yield made


def config(**more: Any) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(**more)


def test_content_is_counted_and_billed_as_it_is_reported(provider, client):
    provider.script("Good morning to you.")
    answer = client.models.generate_content(
        model=MODEL, contents="Hello there", config=config(system_instruction="Be terse.")
    )

    assert answer.text == "Good morning to you."
    assert answer.candidates[0].finish_reason == "STOP"
    assert provider.requests[0].prompt == PROMPT
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count) == (9, 5)
    assert usage.total_token_count == 14
    assert provider.ledger == (
        Billed(
            number=1,
            provider="gcp.gemini",
            endpoint=f"/v1/models/{MODEL}:generateContent",
            operation="generate_content",
            model=MODEL,
            response_id=answer.response_id,
            status=200,
            stream=False,
            usage="reported",
            outcome="complete",
            input_tokens=9,
            output_tokens=5,
        ),
    )


def test_a_stream_adds_up_and_counts_on_its_way(provider, client):
    provider.script(Reply("One two three.", thinking="Hm, let me see."))
    chunks = list(client.models.generate_content_stream(model=MODEL, contents="Hello there"))

    assert "".join(chunk.text or "" for chunk in chunks) == "One two three."
    counts = [chunk.usage_metadata.candidates_token_count or 0 for chunk in chunks]
    assert counts == sorted(counts)
    assert counts[-1] == 4
    assert {chunk.usage_metadata.thoughts_token_count for chunk in chunks[-4:]} == {4}
    assert provider.ledger[0].output_tokens == 8
    assert provider.ledger[0].reasoning_tokens == 4


def test_without_alt_sse_a_stream_is_an_array_that_grows(provider):
    provider.script("One two.")
    path = f"/v1beta/models/{MODEL}:streamGenerateContent"
    body = {"contents": [{"parts": [{"text": "Hi"}]}]}
    answer = httpx.post(provider.url + path, json=body)
    assert answer.headers["content-type"].startswith("application/json")
    texts = [one["candidates"][0]["content"]["parts"][0]["text"] for one in answer.json()]
    assert texts == ["One ", "two.", ""]


def test_functions_are_called_and_their_results_read(provider, client):
    provider.script(Reply(tool_calls=[ToolCall("search", {"q": "x"})]), "Found.")
    search = {
        "name": "search",
        "parameters": {"type": "OBJECT", "properties": {"q": {"type": "STRING"}}},
    }
    with_tools = config(
        tools=[{"function_declarations": [search]}],
        automatic_function_calling={"disable": True},
    )
    first = client.models.generate_content(model=MODEL, contents="Find x", config=with_tools)
    call = first.function_calls[0]
    assert (call.name, call.args) == ("search", {"q": "x"})
    result = types.Part.from_function_response(name="search", response={"result": "y"})
    turns = [
        types.UserContent("Find x"),
        first.candidates[0].content,
        types.Content(role="user", parts=[result]),
    ]
    client.models.generate_content(model=MODEL, contents=turns, config=with_tools)
    asked = provider.requests[1]
    assert asked.tool_results == ('{"result":"y"}',)
    assert asked.tools == {"search": {"type": "object", "properties": {"q": {"type": "string"}}}}


def test_a_function_that_must_be_called_is_called_and_a_schema_filled(provider, client):
    search = {"name": "search", "parameters": {"type": "OBJECT"}}
    must = {"function_calling_config": {"mode": "ANY"}}
    answer = client.models.generate_content(
        model=MODEL,
        contents="Find x",
        config=config(tools=[{"function_declarations": [search]}], tool_config=must),
    )
    assert answer.function_calls[0].name == "search"
    schema = {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]}
    filled = client.models.generate_content(
        model=MODEL,
        contents="Fill",
        config=config(response_schema=schema, response_mime_type="application/json"),
    )
    assert json.loads(filled.text) == {"n": 0}


def test_a_cache_is_written_once_and_read_from_then_on(provider, client):
    cache = client.caches.create(
        model=MODEL, config=types.CreateCachedContentConfig(contents="x" * 6000)
    )
    kept = count_tokens("user: " + "x" * 6000 + "\n")
    assert cache.usage_metadata.total_token_count == kept
    answer = client.models.generate_content(
        model=MODEL, contents="Go", config=config(cached_content=cache.name)
    )
    assert answer.usage_metadata.cached_content_token_count == kept
    written, read = provider.ledger
    assert (written.operation, written.cache_write_tokens) == ("create_cache", kept)
    assert (read.cache_read_tokens, read.input_tokens) == (kept, kept + 2)


def test_embeddings_and_counts_are_answered(provider, client):
    made = client.models.embed_content(model="gemini-embedding-001", contents=["one", "two", "one"])
    first, second, third = (one.values for one in made.embeddings)
    assert first == third != second
    counted = client.models.count_tokens(model=MODEL, contents="Hello there")
    assert counted.total_tokens == count_tokens("user: Hello there\n")
    assert [billed.operation for billed in provider.ledger] == ["embeddings"]


def test_failures_are_spelt_as_google_does(provider, client):
    provider.script(Failure(429), Failure(500))
    with pytest.raises(errors.ClientError) as refused:
        client.models.generate_content(model=MODEL, contents="Hi")
    assert (refused.value.code, refused.value.status) == (429, "RESOURCE_EXHAUSTED")
    with pytest.raises(errors.ServerError) as failed:
        client.models.generate_content(model=MODEL, contents="Hi")
    assert (failed.value.code, failed.value.status) == (500, "INTERNAL")
    with pytest.raises(errors.ClientError) as unknown:
        client.models.generate_content(
            model=MODEL, contents="Hi", config=config(cached_content="cachedContents/none")
        )
    assert unknown.value.code == 400
    assert provider.ledger == ()


def test_a_stream_may_break_in_its_middle(provider, client):
    provider.script(Failure(503, after=1, work="One two three."))
    stream = client.models.generate_content_stream(model=MODEL, contents="Hi")
    assert next(stream).text == "One "
    with pytest.raises(errors.APIError):
        next(stream)
    assert provider.ledger[0].outcome == "failed"
    assert provider.ledger[0].output_tokens == 1


def test_interactions_are_answered_whole_and_as_a_stream(provider, client):
    search = {"type": "function", "name": "search", "parameters": {"type": "object"}}
    provider.script(
        Reply("One two.", thinking="Hm, hm."), Reply("One", tool_calls=[ToolCall("search", {})])
    )
    whole = client.interactions.create(model=MODEL, input="Hello there")
    assert whole.output_text == "One two."
    assert (whole.usage.total_output_tokens, whole.usage.total_thought_tokens) == (2, 2)
    stream = client.interactions.create(model=MODEL, input="Hi", tools=[search], stream=True)
    events = list(stream)
    assert [event.event_type for event in events] == [
        "interaction.created",
        "step.start",
        "step.delta",
        "step.stop",
        "step.start",
        "step.stop",
        "interaction.completed",
    ]
    assert events[-1].interaction.status == "requires_action"
    assert [billed.output_tokens for billed in provider.ledger] == [4, 3]


def test_an_interaction_goes_on_with_what_a_function_has_found(provider, client):
    called = {"type": "function_call", "id": "1", "name": "search", "arguments": {"q": "x"}}
    found = {"type": "function_result", "call_id": "1", "name": "search", "result": {"n": 1}}
    asked = {"type": "user_input", "content": [{"type": "text", "text": "Find x"}]}
    client.interactions.create(
        model=MODEL, input=[asked, called, found], system_instruction="Be terse."
    )
    (request,) = provider.requests
    assert request.system == "Be terse."
    assert (request.user, request.tool_results) == ("Find x", ('{"n":1}',))
    assert request.messages[1].text == 'search({"q":"x"})'


def test_an_interaction_may_break_in_its_middle(provider, client):
    provider.script(Failure(503, after=1, work="One two."))
    stream = client.interactions.create(model=MODEL, input="Hi", stream=True)
    kinds = [event.event_type for event in stream]
    assert kinds == ["interaction.created", "step.start", "step.delta", "error"]
    assert provider.ledger[0].outcome == "failed"
