import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from agenttrace.testing import Failure, ModelProvider, Reply, ToolCall, count_tokens

SEARCH: Any = {
    "type": "function",
    "name": "search",
    "strict": False,
    "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
}


@pytest.fixture
def client(provider: ModelProvider):
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as made:
        yield made


def test_a_response_is_counted_and_billed_as_it_is_reported(provider, client):
    provider.script(Reply("Good morning.", thinking="x" * 40))
    response = client.responses.create(model="gpt-5", instructions="Be terse.", input="Hello")

    assert response.output_text == "Good morning."
    assert response.status == "completed"
    prompt = "system: Be terse.\nuser: Hello\n"
    assert provider.requests[0].prompt == prompt
    [billed] = provider.ledger
    assert (billed.response_id, billed.usage, billed.outcome) == (
        response.id, "reported", "complete",
    )  # fmt: skip
    assert response.usage.input_tokens == billed.input_tokens == count_tokens(prompt)
    assert response.usage.output_tokens == billed.output_tokens == 4 + 10
    assert response.usage.output_tokens_details.reasoning_tokens == billed.reasoning_tokens == 10


def test_a_streamed_response_adds_up_to_the_whole_one(provider, client):
    reply = Reply("Good morning to you.", tool_calls=[ToolCall("search", {"q": "a long query"})])
    provider.script(reply)
    with client.responses.stream(model="m", input="Hello", tools=[SEARCH]) as stream:
        events = list(stream)
        response = stream.get_final_response()

    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert deltas == ["Good ", "morning ", "to ", "you."]
    assert response.output_text == "Good morning to you."
    assert json.loads(response.output[1].arguments) == {"q": "a long query"}
    assert response.usage.output_tokens == provider.ledger[0].output_tokens
    assert provider.ledger[0].usage == "reported"


def test_reasoning_is_summed_up_where_that_is_asked_for(provider, client):
    provider.script(Reply("Yes.", thinking="Let me see."), times=3)
    plain = client.responses.create(model="m", input="Hello")
    asked: Any = {"summary": "auto"}
    summed = client.responses.create(model="m", input="Hello", reasoning=asked)
    with client.responses.stream(model="m", input="Hello", reasoning=asked) as stream:
        streamed = stream.get_final_response()

    assert plain.output[0].summary == []
    assert summed.output[0].summary[0].text == "Let me see."
    assert streamed.output[0].summary[0].text == "Let me see."
    assert [one.reasoning_tokens for one in provider.ledger] == [3, 3, 3]


def test_a_function_call_goes_out_and_its_result_comes_back(provider, client):
    provider.script(Reply(tool_calls=[ToolCall("search", {"q": "tea"})]), "Found.")
    first = client.responses.create(model="m", input="Find tea", tools=[SEARCH])
    [call] = first.output
    given: Any = [
        {"role": "user", "content": "Find tea"},
        call.model_dump(),
        {"type": "function_call_output", "call_id": call.call_id, "output": "A leaf."},
    ]
    second = client.responses.create(model="m", input=given, tools=[SEARCH])
    assert second.output_text == "Found."
    assert provider.requests[1].tool_results == ("A leaf.",)
    assert provider.requests[1].user == "Find tea"


def test_what_is_continued_counts_as_input_again_without_its_instructions(provider, client):
    provider.script("Tea.")
    first = client.responses.create(model="m", input="What is it?", instructions="Guess.")
    client.responses.create(model="m", input="Sure?", previous_response_id=first.id)
    assert provider.requests[1].prompt == "user: What is it?\nassistant: Tea.\nuser: Sure?\n"


def test_continuing_from_nothing_is_refused(client):
    with pytest.raises(openai.BadRequestError, match="resp_none"):
        client.responses.create(model="m", input="Sure?", previous_response_id="resp_none")


def test_a_response_in_the_background_is_one_call_however_often_it_is_polled(provider, client):
    queued = client.responses.create(model="m", input="Hello", background=True)
    assert (queued.status, queued.usage) == ("queued", None)
    assert [one.usage for one in provider.ledger] == ["missing"]

    polled = [client.responses.retrieve(queued.id) for _ in range(2)]

    assert [one.status for one in polled] == ["completed", "completed"]
    [billed] = provider.ledger
    assert billed.usage == "reported"
    assert polled[0].usage.output_tokens == billed.output_tokens > 0


def test_a_response_that_never_was_is_not_found(client):
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve("resp_none")


class City(BaseModel):
    name: str


def test_structured_output_fits_the_schema(client):
    assert client.responses.parse(model="m", input="x", text_format=City).output_parsed == City(
        name="text"
    )
    free = client.responses.create(model="m", input="x", text={"format": {"type": "json_object"}})
    assert free.output_text == "{}"


def test_a_tool_that_must_be_called_is_called(client):
    response = client.responses.create(
        model="m", input="x", tools=[SEARCH], tool_choice={"type": "function", "name": "search"}
    )
    assert response.output[0].name == "search"


def test_an_answer_too_long_is_incomplete(provider, client):
    provider.script("Good morning to you.", times=2)
    response = client.responses.create(model="m", input="x", max_output_tokens=3)
    assert (response.output_text, response.status) == ("Good morning", "incomplete")
    *_, last = client.responses.create(model="m", input="x", max_output_tokens=3, stream=True)
    assert last.type == "response.incomplete"


def test_a_stream_breaks_with_an_error_event(provider, client):
    provider.script(Failure(500, work="One two three.", after=1))
    *_, last = client.responses.create(model="m", input="x", stream=True)
    assert (last.type, last.code) == ("error", "server_error")
    assert (provider.ledger[0].outcome, provider.ledger[0].output_tokens) == ("failed", 1)


def test_earlier_calls_and_files_in_the_input_are_read(provider, client):
    given: Any = [
        {"role": "developer", "content": "Be terse."},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    ]
    client.responses.create(model="m", input=given)
    assert provider.requests[0].system == "Be terse."
    assert provider.requests[0].prompt == (
        "developer: Be terse.\nassistant: [reasoning]\nuser: Hi\n"
    )


def test_a_request_without_input_is_refused(client):
    with pytest.raises(openai.BadRequestError, match="must not be empty"):
        client.responses.create(model="m", input=[])
