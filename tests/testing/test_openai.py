import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from agenttrace.testing import Billed, Failure, ModelProvider, Reply, Tokens, ToolCall, count_tokens

HELLO: list[Any] = [
    {"role": "system", "content": "You are terse."},
    {"role": "user", "content": "Hello there"},
]
PROMPT = "system: You are terse.\nuser: Hello there\n"  # 41 characters, 11 tokens
SEARCH: Any = {
    "type": "function",
    "function": {
        "name": "search",
        "parameters": {
            "type": "object",
            "properties": {"q": {"type": "string"}},
            "required": ["q"],
        },
    },
}


@pytest.fixture
def client(provider: ModelProvider):
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as made:
        yield made


def test_a_completion_is_counted_and_billed_as_it_is_reported(provider, client):
    provider.script("Good morning to you.")

    completion = client.chat.completions.create(model="gpt-5", messages=HELLO)

    assert provider.requests[0].prompt == PROMPT
    assert completion.choices[0].message.content == "Good morning to you."
    assert completion.choices[0].finish_reason == "stop"
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (11, 5)
    assert completion.usage.total_tokens == 16
    assert provider.ledger == (
        Billed(
            number=1,
            provider="openai",
            endpoint="/v1/chat/completions",
            operation="chat",
            model="gpt-5",
            response_id=completion.id,
            status=200,
            stream=False,
            usage="reported",
            outcome="complete",
            input_tokens=11,
            output_tokens=5,
        ),
    )


def test_a_reply_nobody_scripted_repeats_what_the_user_said(client):
    completion = client.chat.completions.create(model="gpt-5", messages=HELLO)
    assert completion.choices[0].message.content == "You said: Hello there"


async def test_an_async_client_is_answered(provider):
    async with openai.AsyncOpenAI(base_url=provider.openai_base_url, api_key="test") as client:
        completion = await client.chat.completions.create(model="gpt-5", messages=HELLO)
        stream = await client.chat.completions.create(model="gpt-5", messages=HELLO, stream=True)
        chunks = [chunk async for chunk in stream]
    assert completion.choices[0].message.content == "You said: Hello there"
    assert [chunk.choices[0].delta.content for chunk in chunks] == [
        "", "You ", "said: ", "Hello ", "there", None,
    ]  # fmt: skip


def test_a_stream_reports_usage_only_where_it_is_asked_for(provider, client):
    provider.script("One two three.", times=2)
    silent = list(client.chat.completions.create(model="m", messages=HELLO, stream=True))
    telling = list(
        client.chat.completions.create(
            model="m", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    assert [chunk.usage for chunk in silent] == [None] * 5
    assert [chunk.usage and chunk.usage.completion_tokens for chunk in telling] == [None] * 5 + [4]
    assert [(one.usage, one.output_tokens) for one in provider.ledger] == [
        ("missing", 4),
        ("reported", 4),
    ]


def test_a_tool_call_goes_out_and_its_result_comes_back(provider, client):
    provider.script(Reply(tool_calls=[ToolCall("search", {"q": "tea"})]), "Found.")

    first = client.chat.completions.create(model="m", messages=HELLO, tools=[SEARCH])
    message = first.choices[0].message
    [call] = message.tool_calls
    history = [*HELLO, message, {"role": "tool", "tool_call_id": call.id, "content": "A leaf."}]
    second = client.chat.completions.create(model="m", messages=history, tools=[SEARCH])

    assert (call.id, call.function.name) == ("call_000001_1", "search")
    assert json.loads(call.function.arguments) == {"q": "tea"}
    assert first.choices[0].finish_reason == "tool_calls"
    assert second.choices[0].message.content == "Found."
    assert provider.requests[1].tool_results == ("A leaf.",)
    assert list(provider.requests[1].tools) == ["search"]
    assert provider.ledger[0].output_tokens == count_tokens('search{"q":"tea"}')


def test_a_streamed_tool_call_adds_up(provider, client):
    provider.script(Reply("Wait.", tool_calls=[ToolCall("search", {"q": "a longer query"})]))
    with client.chat.completions.stream(model="m", messages=HELLO, tools=[SEARCH]) as stream:
        completion = stream.get_final_completion()
    message = completion.choices[0].message
    assert message.content == "Wait."
    assert json.loads(message.tool_calls[0].function.arguments) == {"q": "a longer query"}


def test_arguments_that_are_no_json_travel_as_they_are(provider, client):
    provider.script(Reply(tool_calls=[ToolCall("search", '{"q": ')]))
    completion = client.chat.completions.create(model="m", messages=HELLO, tools=[SEARCH])
    assert completion.choices[0].message.tool_calls[0].function.arguments == '{"q": '


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "search"}}]
)
def test_a_tool_that_must_be_called_is_called_with_arguments_that_fit(client, choice):
    completion = client.chat.completions.create(
        model="m", messages=HELLO, tools=[SEARCH], tool_choice=choice
    )
    assert completion.choices[0].message.tool_calls[0].function.arguments == '{"q":"text"}'


class City(BaseModel):
    name: str
    people: int


def test_structured_output_fits_the_schema_that_was_asked_for(client):
    completion = client.chat.completions.parse(model="m", messages=HELLO, response_format=City)
    assert completion.choices[0].message.parsed == City(name="text", people=0)
    free = client.chat.completions.create(
        model="m", messages=HELLO, response_format={"type": "json_object"}
    )
    assert free.choices[0].message.content == "{}"


def test_hidden_thinking_is_billed_as_reasoning(provider, client):
    provider.script(Reply("Yes.", thinking="x" * 400))
    usage = client.chat.completions.create(model="m", messages=HELLO).usage
    assert (usage.completion_tokens, usage.completion_tokens_details.reasoning_tokens) == (101, 100)


def test_each_choice_is_billed(provider, client):
    provider.script("Four.", times=2)
    completion = client.chat.completions.create(model="m", messages=HELLO, n=3)
    stream = client.chat.completions.create(model="m", messages=HELLO, n=3, stream=True)
    indices = [choice.index for chunk in stream for choice in chunk.choices]
    assert [choice.message.content for choice in completion.choices] == ["Four."] * 3
    assert indices == [0, 1, 2] * 3
    assert [billed.output_tokens for billed in provider.ledger] == [6, 6]


def test_a_long_prompt_is_read_from_the_cache_the_second_time(provider, client):
    long: Any = [{"role": "system", "content": "x" * 8000}, *HELLO]
    read = [
        client.chat.completions.create(
            model="m", messages=long
        ).usage.prompt_tokens_details.cached_tokens
        for _ in range(2)
    ]
    assert read == [0, 1920]
    assert [billed.cache_read_tokens for billed in provider.ledger] == [0, 1920]


def test_an_answer_is_cut_to_the_tokens_that_were_asked_for(client):
    completion = client.chat.completions.create(model="m", messages=HELLO, max_completion_tokens=2)
    assert completion.choices[0].message.content == "You said"
    assert completion.choices[0].finish_reason == "length"


def test_tokens_can_be_said_outright(provider, client):
    provider.script(
        Reply("Hi.", tokens=Tokens(input_tokens=9000, cache_read_tokens=8000, output_tokens=70))
    )
    usage = client.chat.completions.create(model="m", messages=HELLO).usage
    assert (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens) == (9000, 8000)
    assert provider.ledger[0].output_tokens == 70


def test_the_sdk_retries_what_the_provider_refuses(provider, client):
    provider.script(Failure(429), Failure(500, work="Lost."), "At last.")

    completion = client.chat.completions.create(model="m", messages=HELLO)

    assert completion.choices[0].message.content == "At last."
    assert len(provider.requests) == 3
    assert [(one.number, one.status, one.outcome, one.usage) for one in provider.ledger] == [
        (2, 500, "failed", "missing"),
        (3, 200, "complete", "reported"),
    ]


def test_an_error_has_the_shape_that_the_sdk_expects(provider, client):
    provider.script(Failure(401, message="No such key."))
    with pytest.raises(openai.AuthenticationError, match=r"No such key\.") as caught:
        client.chat.completions.create(model="m", messages=HELLO)
    assert caught.value.code == "invalid_api_key"
    assert caught.value.request_id == "req_000001"


def test_a_stream_breaks_with_an_error_event(provider, client):
    provider.script(Failure(500, work="One two three.", after=2))
    seen = []
    with pytest.raises(openai.APIError, match="in the script"):
        seen += client.chat.completions.create(model="m", messages=HELLO, stream=True)
    assert provider.ledger[0].outcome == "failed"
    assert provider.ledger[0].output_tokens == 2  # of "One two "


def test_usage_can_be_missing_or_null(provider, client):
    provider.script(Reply("Hi.", usage="missing"), Reply("Hi.", usage="null"))
    assert client.chat.completions.create(model="m", messages=HELLO).usage is None
    assert client.chat.completions.create(model="m", messages=HELLO).usage.prompt_tokens is None
    assert [one.usage for one in provider.ledger] == ["missing", "missing"]
    assert [one.output_tokens for one in provider.ledger] == [1, 1]


def test_another_model_may_answer(provider, client):
    provider.script(Reply("Hi.", model="m-2026-01-01"))
    completion = client.chat.completions.create(model="m", messages=HELLO)
    assert completion.model == provider.ledger[0].model == "m-2026-01-01"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": HELLO}, "model"),
        ({"model": "m", "messages": []}, "must not be empty"),
        ({"model": "m", "messages": "hi"}, "messages is not a list"),
        ({"model": "m", "messages": ["hi"]}, "not an object"),
        ({"model": "m", "messages": HELLO, "stream_options": 1}, "stream_options"),
        ({"model": "m", "messages": HELLO, "tools": [{}]}, "could not be read"),
        ({"model": "m", "messages": HELLO, "n": 0}, "n must be a whole number"),
        ({"model": "m", "messages": HELLO, "max_tokens": "5"}, "max_tokens must be"),
        ({"model": "m", "messages": [{"role": "user", "content": 1}]}, "content is int"),
        ({"model": "m", "messages": [{"role": "user", "content": [1]}]}, "part of content"),
        ([], "not a JSON object"),
    ],
)
def test_a_request_no_provider_would_accept_is_refused(provider, client, body, message):
    with pytest.raises(openai.BadRequestError, match=message):
        client.post("/chat/completions", body=body, cast_to=object)
    assert provider.requests == ()


def test_parts_of_content_count_as_their_text(provider, client):
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    client.chat.completions.create(model="m", messages=[{"role": "user", "content": parts}])
    assert provider.requests[0].user == "What is this?\n[image_url]"


def test_embeddings_are_the_same_each_time_and_alike_for_like_texts(provider, client):
    def embed(*texts: str) -> list[list[float]]:
        made = client.embeddings.create(model="text-embedding-3-small", input=list(texts))
        return [item.embedding for item in made.data]

    cat, again, kitten, ship = embed("the black cat", "The black cat", "the black kitten", "a ship")

    def alike(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert len(cat) == 1536
    assert cat == again
    assert alike(cat, kitten) == pytest.approx(2 / 3)
    assert alike(cat, ship) == 0
    [billed] = provider.ledger
    assert (billed.operation, billed.response_id) == ("embeddings", None)
    assert (billed.input_tokens, billed.output_tokens) == (12, 0)  # 48 characters


def test_embeddings_come_as_numbers_too_and_in_the_size_asked_for(provider, client):
    made = client.embeddings.create(
        model="text-embedding-3-large", input=[[5, 6, 7]], encoding_format="float", dimensions=4
    )
    assert len(made.data[0].embedding) == 4
    assert made.usage.prompt_tokens == provider.ledger[0].input_tokens == 3


def test_embeddings_leave_scripts_for_chats_alone(provider, client):
    provider.script("For a chat.")
    provider.script(Failure(400), when=lambda request: request.operation == "embeddings")
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model="e", input="x")
    client.embeddings.create(model="e", input="x")
    assert provider.pending == 1


def test_words_that_cancel_out_still_make_a_vector(client):
    made = client.embeddings.create(
        model="e", input="cat fish", dimensions=1, encoding_format="float"
    )
    assert made.data[0].embedding == [1.0]


def test_embeddings_need_an_input(client):
    with pytest.raises(openai.BadRequestError, match="not empty"):
        client.embeddings.create(model="e", input=[])


def test_models_are_listed(client):
    assert "gpt-5" in [model.id for model in client.models.list()]
