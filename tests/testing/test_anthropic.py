import json
from typing import Any

import anthropic
import pytest

from agenttrace.testing import Billed, Failure, ModelProvider, Reply, ToolCall, count_tokens

HELLO: list[Any] = [{"role": "user", "content": "Hello there"}]
PROMPT = "system: Be terse.\nuser: Hello there\n"  # 36 characters, 9 tokens
LONG = "x" * 8000
SEARCH: Any = {
    "name": "search",
    "input_schema": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]},
}


@pytest.fixture
def client(provider: ModelProvider):
    with anthropic.Anthropic(base_url=provider.anthropic_base_url, api_key="test") as made:
        yield made


def create(client: anthropic.Anthropic, **more: Any) -> Any:
    asked: dict[str, Any] = {"model": "claude", "max_tokens": 1000, "messages": HELLO, **more}
    return client.messages.create(**asked)


def test_a_message_is_counted_and_billed_as_it_is_reported(provider, client):
    provider.script("Good morning to you.")
    message = create(client, system="Be terse.")

    assert message.content[0].text == "Good morning to you."
    assert message.stop_reason == "end_turn"
    assert provider.requests[0].prompt == PROMPT
    assert (message.usage.input_tokens, message.usage.output_tokens) == (9, 5)
    assert provider.ledger == (
        Billed(
            number=1,
            provider="anthropic",
            endpoint="/v1/messages",
            operation="chat",
            model="claude",
            response_id=message.id,
            status=200,
            stream=False,
            usage="reported",
            outcome="complete",
            input_tokens=9,
            output_tokens=5,
        ),
    )


async def test_an_async_client_is_answered(provider):
    provider.script("Good morning.", times=2)
    async with anthropic.AsyncAnthropic(
        base_url=provider.anthropic_base_url, api_key="test"
    ) as client:
        message = await client.messages.create(model="claude", max_tokens=99, messages=HELLO)
        async with client.messages.stream(model="claude", max_tokens=99, messages=HELLO) as stream:
            pieces = [piece async for piece in stream.text_stream]
    assert message.content[0].text == "Good morning."
    assert pieces == ["Good ", "morning."]


def test_a_streamed_message_adds_up_to_the_whole_one(provider, client):
    reply = Reply(
        "I look.", thinking="Hm, let me see.", tool_calls=[ToolCall("search", {"q": "x" * 30})]
    )
    provider.script(reply, times=2)
    whole = create(client, tools=[SEARCH])
    with client.messages.stream(
        model="claude", max_tokens=1000, messages=HELLO, tools=[SEARCH]
    ) as stream:
        streamed = stream.get_final_message()

    without_ids = {"id": True, "content": {2: {"id"}}, "usage": {"cache_creation"}}
    assert [block.type for block in whole.content] == ["thinking", "text", "tool_use"]
    assert whole.content[2].input == {"q": "x" * 30}
    assert streamed.model_dump(exclude=without_ids, exclude_none=True) == whole.model_dump(
        exclude=without_ids, exclude_none=True
    ) | {"usage": streamed.usage.model_dump(exclude={"cache_creation"}, exclude_none=True)}
    assert streamed.usage.output_tokens == whole.usage.output_tokens
    assert whole.usage.output_tokens_details.thinking_tokens == 4
    assert [one.reasoning_tokens for one in provider.ledger] == [4, 4]


def test_a_stream_says_its_input_first_and_its_output_last(provider, client):
    provider.script("One two three.")
    events = list(create(client, stream=True))
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert (events[0].message.usage.input_tokens, events[0].message.usage.output_tokens) == (5, 1)
    assert (events[-2].usage.input_tokens, events[-2].usage.output_tokens) == (5, 4)


def test_marked_prompts_are_written_to_the_cache_and_read_from_it(provider, client):
    system = [
        {
            "type": "text",
            "text": LONG,
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        }
    ]
    question = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "y" * 400, "cache_control": {"type": "ephemeral"}}
            ],
        }
    ]
    first = create(client, system=system, messages=question).usage
    second = create(client, system=system, messages=question).usage

    # "system: " + 8,000 + "\n" is 8,009 characters, "user: " + 400 + "\n" another 407.
    assert (first.input_tokens, first.cache_creation_input_tokens) == (0, 2104)
    assert first.cache_read_input_tokens == 0
    assert first.cache_creation.ephemeral_1h_input_tokens == 2003
    assert first.cache_creation.ephemeral_5m_input_tokens == 101
    assert (second.input_tokens, second.cache_read_input_tokens) == (0, 2104)
    assert second.cache_creation_input_tokens == 0
    assert [
        (one.input_tokens, one.cache_read_tokens, one.cache_write_tokens, one.cache_write_1h_tokens)
        for one in provider.ledger
    ] == [(2104, 0, 2104, 2003), (2104, 2104, 0, 0)]


def test_one_mark_for_the_whole_request_caches_to_its_end(client):
    mark = {"type": "ephemeral"}
    first = create(client, system=LONG, cache_control=mark).usage
    assert first.cache_creation_input_tokens == count_tokens(f"system: {LONG}\nuser: Hello there\n")


def test_marking_a_tool_does_not_make_it_longer(provider, client):
    create(client, tools=[SEARCH])
    create(client, tools=[{**SEARCH, "cache_control": {"type": "ephemeral"}}])
    assert provider.requests[0].prompt == provider.requests[1].prompt


def test_a_tool_call_goes_out_and_its_result_comes_back(provider, client):
    provider.script(Reply(tool_calls=[ToolCall("search", {"q": "tea"})]), "Found.")
    first = create(client, tools=[SEARCH])
    [call] = first.content
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "A leaf."}
    turns = [
        *HELLO,
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    second = create(client, tools=[SEARCH], messages=turns)

    assert (first.stop_reason, call.id, call.input) == (
        "tool_use", "toolu_000001_1", {"q": "tea"},
    )  # fmt: skip
    assert second.content[0].text == "Found."
    request = provider.requests[1]
    assert (request.user, request.tool_results) == ("Hello there", ("A leaf.",))
    assert [message.role for message in request.messages] == ["user", "assistant", "tool"]


def test_earlier_thinking_counts_as_input(provider, client):
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    create(
        client,
        messages=[
            *HELLO,
            {"role": "assistant", "content": [thought, {"type": "text", "text": "A"}]},
            *HELLO,
        ],
    )
    assert provider.requests[0].prompt == (
        "user: Hello there\nassistant: Hm.\nassistant: A\nuser: Hello there\n"
    )


def test_arguments_that_are_no_json_are_wrapped_for_their_field_is_an_object(provider, client):
    provider.script(Reply(tool_calls=[ToolCall("search", '{"q": ')]))
    assert create(client, tools=[SEARCH]).content[0].input == {"INVALID_JSON": '{"q": '}


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "search"}])
def test_a_tool_that_must_be_called_is_called_with_arguments_that_fit(client, choice):
    [call] = create(client, tools=[SEARCH], tool_choice=choice).content
    assert call.input == {"q": "text"}


def test_structured_output_fits_the_schema(client):
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    message = create(client, output_config={"format": {"type": "json_schema", "schema": schema}})
    assert json.loads(message.content[0].text) == {"name": "text"}


def test_counting_tokens_is_not_billed(provider, client):
    counted = client.messages.count_tokens(model="claude", system="Be terse.", messages=HELLO)
    assert counted.input_tokens == 9
    assert provider.ledger == ()


def test_an_answer_is_cut_to_max_tokens(client):
    message = create(client, max_tokens=2)
    assert (message.content[0].text, message.stop_reason) == ("You said", "max_tokens")


@pytest.mark.parametrize(
    ("status", "raised", "kind"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
def test_an_error_has_the_shape_that_the_sdk_expects(provider, client, status, raised, kind):
    provider.script(Failure(status))
    with pytest.raises(raised) as caught:
        create(client.with_options(max_retries=0))
    assert caught.value.body["error"]["type"] == kind
    assert provider.ledger == ()


def test_the_sdk_retries_what_the_provider_refuses(provider, client):
    provider.script(Failure(529), Failure(429), "At last.")
    assert create(client).content[0].text == "At last."
    assert [one.number for one in provider.ledger] == [3]


def test_a_stream_breaks_with_an_error_event(provider, client):
    provider.script(Failure(529, work="One two three.", after=1))
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        list(create(client, stream=True))
    [billed] = provider.ledger
    assert (billed.outcome, billed.usage, billed.output_tokens) == ("failed", "partial", 1)


def test_usage_can_be_missing(provider, client):
    provider.script(Reply("Hi.", usage="missing"))
    assert create(client).usage is None
    assert provider.ledger[0].usage == "missing"


def test_models_are_listed(client):
    assert "claude-sonnet-4-5" in [model.id for model in client.models.list()]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "m", "messages": []}, "at least one message"),
        ({"messages": HELLO}, "model"),
        ({"model": "m", "messages": [{"role": "user", "content": 3}]}, "content is not a list"),
    ],
)
def test_a_request_no_provider_would_accept_is_refused(client, body, message):
    with pytest.raises(anthropic.BadRequestError, match=message):
        client.post("/v1/messages", body=body, cast_to=object)
