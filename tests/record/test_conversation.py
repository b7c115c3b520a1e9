"""Conversations over websockets: each response is a call, and nothing else is."""

import asyncio
import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

import agenttrace
from agenttrace.record.wire import conversation, estimate
from agenttrace.record.wire.conversation import Conversation
from agenttrace.testing import Failure, ModelProvider, Reply, Tokens, ToolCall

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = [
    pytest.mark.usefixtures("recording"),
    # OpenAI's SDK opens connections in a way that websockets 17 calls outdated.
    pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager"),
]


@pytest.fixture
def provider() -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        yield running


@pytest.fixture
def client(provider: ModelProvider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as made:
        yield made


def opened(path: str = "/v1/realtime", query: str = "model=gpt-realtime") -> Conversation:
    found = conversation.open("api.openai.com", path, query)
    assert found is not None
    return found


def hear(conversation: Conversation, kind: str, /, **members: Any) -> None:
    conversation.received(json.dumps({"type": kind, "event_id": "e", **members}))


def say(conversation: Conversation, kind: str, /, **members: Any) -> None:
    conversation.sent(json.dumps({"type": kind, **members}).encode())


USAGE = {
    "total_tokens": 150,
    "input_tokens": 100,
    "output_tokens": 50,
    "input_token_details": {
        "text_tokens": 40,
        "audio_tokens": 60,
        "image_tokens": 0,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 0},
    },
    "output_token_details": {"text_tokens": 10, "audio_tokens": 40},
}


def done(response_id: str, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"response": {"id": response_id, "status": status, "usage": USAGE, **more}}


def of(record: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(record["attributes"].get(name) for name in names)


TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
STATE = ("agenttrace.usage", "agenttrace.outcome")


def test_a_response_is_told_with_all_its_tokens(spooled: Spooled) -> None:
    talk = opened()
    say(talk, "response.create")
    hear(talk, "response.created", response={"id": "r1", "status": "in_progress", "usage": None})
    hear(talk, "response.output_audio_transcript.delta", response_id="r1", delta="Hello")
    hear(talk, "response.done", **done("r1"))
    [record] = spooled()
    assert record["name"] == "gpt-realtime"
    found = record["attributes"]
    assert found.pop("gen_ai.response.time_to_first_chunk") > 0
    assert found.pop("agenttrace.operation.id")
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-realtime",
        "gen_ai.request.stream": True,
        "gen_ai.response.id": "r1",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "gen_ai.usage.audio.input_tokens": 60,
        "gen_ai.usage.audio.output_tokens": 40,
        "gen_ai.usage.image.input_tokens": 0,
        "server.address": "api.openai.com",
        "agenttrace.attempt": 1,
        "agenttrace.capture": "wire",
        "agenttrace.kind": "inference",
        "agenttrace.outcome": "complete",
        "agenttrace.role": "main",
        "agenttrace.usage": "reported",
    }


@pytest.mark.parametrize(
    ("status", "more", "outcome", "error"),
    [
        ("incomplete", {"status_details": {"reason": "max_output_tokens"}}, "complete", None),
        ("cancelled", {"status_details": {"reason": "turn_detected"}}, "abandoned", None),
        ("failed", {"status_details": {"error": {"code": "oops"}}}, "incomplete", "oops"),
        ("failed", {}, "incomplete", "error"),
    ],
)
def test_how_a_response_ended_is_told(
    spooled: Spooled, status: str, more: dict[str, Any], outcome: str, error: str | None
) -> None:
    talk = opened()
    say(talk, "response.create")
    hear(talk, "response.created", response={"id": "r1"})
    hear(talk, "response.done", **done("r1", status, **more))
    [record] = spooled()
    assert of(record, "agenttrace.outcome", "error.type", *TOKENS) == (outcome, error, 100, 50)
    assert record["status"] == ("error" if error else "ok")


def test_a_response_that_the_server_began_by_itself_is_a_call_where_the_program_spoke_last(
    spooled: Spooled,
) -> None:
    talk = opened()
    with agenttrace.agent("listener"):
        say(talk, "input_audio_buffer.append", audio="AAAA")
    hear(talk, "response.created", response={"id": "r1"})
    hear(talk, "response.done", **done("r1"))
    record = next(one for one in spooled() if one["attributes"]["agenttrace.kind"] == "inference")
    assert record["attributes"]["gen_ai.agent.name"] == "listener"


def test_a_call_belongs_to_the_agent_that_asked_for_it(spooled: Spooled) -> None:
    talk = opened()
    for name in ("one", "two"):
        with agenttrace.agent(name):
            say(talk, "response.create")
    for at in (1, 2):
        hear(talk, "response.created", response={"id": f"r{at}"})
    for at in (2, 1):
        hear(talk, "response.done", **done(f"r{at}"))
    calls = {
        record["attributes"]["gen_ai.response.id"]: record["attributes"]["gen_ai.agent.name"]
        for record in spooled()
        if record["attributes"]["agenttrace.kind"] == "inference"
    }
    assert calls == {"r1": "one", "r2": "two"}


def test_a_connection_that_breaks_in_mid_response_leaves_an_estimate(spooled: Spooled) -> None:
    talk = opened("/v1/responses", "")
    say(talk, "response.create", model="gpt-5", input="How are you today, my friend?")
    hear(talk, "response.created", response={"id": "r1", "model": "gpt-5"})
    hear(talk, "response.output_text.delta", delta="Fine, thank you, and yourself?")
    talk.close(ConnectionError("gone"))
    talk.close()
    [record] = spooled()
    assert of(record, *STATE, "error.type") == ("estimated", "incomplete", "ConnectionError")
    sent, received = of(record, *TOKENS)
    assert 5 <= sent <= 12
    assert 5 <= received <= 12


def test_pieces_are_estimated_as_the_text_that_they_make(spooled: Spooled) -> None:
    text = "Extraordinary consequences notwithstanding. " * 10_000
    talk = opened("/v1/responses", "")
    say(talk, "response.create", model="gpt-5", input="How are you?")
    hear(talk, "response.created", response={"id": "r1", "model": "gpt-5"})
    for at in range(0, len(text), 5):  # in the middle of words
        hear(talk, "response.output_text.delta", delta=text[at : at + 5])
    talk.close()
    [record] = spooled()
    assert of(record, *TOKENS)[1] == pytest.approx(estimate.count(text, "gpt-5"), rel=0.01)


def test_a_program_that_hangs_up_has_abandoned_what_it_asked_for(spooled: Spooled) -> None:
    talk = opened()
    say(talk, "response.create")
    hear(talk, "response.created", response={"id": "r1"})
    say(talk, "response.create")
    talk.close()
    begun, asked = spooled()
    # Nobody knows what the conversation was, so its input is unknown and not zero.
    assert of(begun, *STATE, TOKENS[0]) == ("estimated", "abandoned", None)
    assert of(asked, *STATE, *TOKENS) == ("missing", "abandoned", None, None)


def test_a_transcription_of_what_was_said_is_a_call_of_another_model(spooled: Spooled) -> None:
    talk = opened()
    heard = {"audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
    hear(talk, "session.created", session={"model": "gpt-realtime-2"})
    hear(talk, "session.updated", session=heard)
    kind = "conversation.item.input_audio_transcription"
    usage = {"type": "tokens", "input_tokens": 30, "output_tokens": 4, "total_tokens": 34}
    hear(talk, f"{kind}.completed", item_id="i1", transcript="Hi", usage=usage)
    hear(talk, f"{kind}.completed", item_id="i2", usage={"type": "duration", "seconds": 3.0})
    hear(talk, f"{kind}.failed", item_id="i3", error={"type": "server_error"})
    records = spooled()
    names = ("gen_ai.operation.name", "gen_ai.response.model", "agenttrace.role", *STATE, *TOKENS)
    common = ("transcription", "gpt-4o-transcribe", "other")
    assert [of(record, *names) for record in records] == [
        (*common, "reported", "complete", 30, 4),
        (*common, "missing", "complete", None, None),
        (*common, "missing", "incomplete", None, None),
    ]
    assert records[2]["attributes"]["error.type"] == "server_error"


def test_an_error_ends_the_response_that_it_names_and_no_other(spooled: Spooled) -> None:
    talk = opened()
    say(talk, "response.create", event_id="mine")
    hear(talk, "error", error={"type": "invalid_request_error", "event_id": "another"})
    hear(talk, "error", error={"type": "invalid_request_error"})
    assert spooled() == []
    hear(talk, "error", error={"type": "invalid_request_error", "event_id": "mine"})
    [record] = spooled()
    assert of(record, "error.type", *STATE) == ("invalid_request_error", "missing", "incomplete")


ACTIVE = {"type": "invalid_request_error", "code": "conversation_already_has_active_response"}


def agents(records: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Of each call its agent, response and error."""
    names = ("gen_ai.agent.name", "gen_ai.response.id", "error.type")
    return [of(one, *names) for one in records if of(one, "agenttrace.kind") == ("inference",)]


def ask(talk: Conversation, agent: str) -> None:
    with agenttrace.agent(agent):
        say(talk, "response.create")


def answer(talk: Conversation, response_id: str) -> None:
    hear(talk, "response.created", response={"id": response_id})
    hear(talk, "response.done", **done(response_id))


def test_what_is_refused_for_the_response_under_way_is_what_was_asked_last(
    spooled: Spooled,
) -> None:
    talk = opened()
    ask(talk, "one")
    ask(talk, "two")
    hear(talk, "error", error=ACTIVE)
    answer(talk, "r1")
    ask(talk, "three")
    answer(talk, "r2")
    assert agents(spooled()) == [
        ("one", "r1", None),
        ("two", None, "invalid_request_error"),
        ("three", "r2", None),
    ]


def test_an_error_that_names_nothing_is_about_what_is_not_answered_in_its_turn(
    spooled: Spooled,
) -> None:
    talk = opened()
    for name in ("one", "two"):
        ask(talk, name)
        hear(talk, "error", error={"type": "invalid_request_error", "code": "bad"})
    assert agents(spooled()) == [("one", None, "invalid_request_error")]  # none pile up
    ask(talk, "three")
    ask(talk, "four")
    answer(talk, "r1")
    answer(talk, "r2")
    assert agents(spooled()) == [
        ("one", None, "invalid_request_error"),
        ("two", None, "invalid_request_error"),
        ("three", "r1", None),
        ("four", "r2", None),
    ]


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_single_response_in_doubt_is_told_by_whether_it_begins(
    spooled: Spooled, *, is_answered: bool
) -> None:
    talk = opened()
    ask(talk, "one")
    hear(talk, "error", error={"type": "invalid_request_error"})  # perhaps of another message
    if is_answered:
        answer(talk, "r1")
    talk.close()
    error = "invalid_request_error"
    expected = ("one", "r1", None) if is_answered else ("one", None, error)
    assert agents(spooled()) == [expected]


def test_a_child_forked_while_a_message_is_read_is_not_held_up(
    spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = opened()
    reading, may_go_on = threading.Event(), threading.Event()
    decoded = conversation.decoded

    def slowly(*args: Any) -> Any:
        reading.set()
        assert may_go_on.wait(10)
        return decoded(*args)

    monkeypatch.setattr(conversation, "decoded", slowly)
    reader = threading.Thread(target=hear, args=(talk, "response.done"), kwargs=done("r1"))
    reader.start()
    assert reading.wait(10)
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            signal.alarm(5)
            say(talk, "response.create")
            hear(talk, "response.created", response={"id": "r1"})
            talk.close()
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    may_go_on.set()
    reader.join()
    assert status == 0
    assert spooled() == []


def test_lanes_of_one_connection_are_kept_apart(spooled: Spooled) -> None:
    talk = opened("/v1/responses", "")
    say(talk, "response.create", model="gpt-5", stream_id="a")
    say(talk, "response.create", model="gpt-5-mini", stream_id="b")
    hear(talk, "response.created", stream_id="b", response={"id": "rb", "model": "gpt-5-mini"})
    hear(talk, "error", stream_id="a", error={"code": "rate_limit_exceeded"})
    hear(talk, "response.completed", stream_id="b", **done("rb", model="gpt-5-mini"))
    names = ("gen_ai.request.model", "gen_ai.response.id", "error.type")
    assert [of(record, *names) for record in spooled()] == [
        ("gpt-5", None, "rate_limit_exceeded"),
        ("gpt-5-mini", "rb", None),
    ]


def test_what_a_live_session_delegates_is_counted(spooled: Spooled) -> None:
    talk = opened("/v1/live/sessions", "")
    inner = {"type": "response.created", "response": {"id": "r1", "model": "gpt-5"}}
    hear(talk, "response.event", delegation_id="d", event=inner)
    inner = {"type": "response.completed", **done("r1", model="gpt-5")}
    hear(talk, "response.event", delegation_id="d", event=inner)
    usage = {"input_tokens": 7, "output_tokens": 1}
    decision = {"type": "decision.completed", "decision": {"model": "gpt-6-luna", "usage": usage}}
    hear(talk, "decision.event", event=decision)
    assert [of(record, "gen_ai.response.model", *TOKENS) for record in spooled()] == [
        ("gpt-5", 100, 50),
        ("gpt-6-luna", 7, 1),
    ]


@pytest.mark.parametrize(
    "message",
    [
        "",
        b"\xff\xfe",
        '"response.create"',
        '{"type": "response.create"',
        '{"type": "response.done", "response": [1]}',
        '{"type": "response.done", "response": {"id": {"a": 1}}}',
        '{"type": "response.created", "response": null}',
        '{"type": ["response.done"]}',
        '{"type": "error", "error": 7}',
        '{"type": "session.updated", "session": {"audio": [], "model": 3}}',
        '{"type": "response.event", "event": {"type": "response.event"}}',
        '{"type": "response.event", "event": {"type": "decision.event", "decision": 1}}',
        '{"type": "conversation.item.create", "item": {"text": "\\ud800 response.create"}}',
    ],
)
def test_an_odd_message_does_no_harm(spooled: Spooled, message: str | bytes) -> None:
    talk = opened()
    talk.sent(message)
    talk.received(message)
    say(talk, "response.create")
    hear(talk, "response.created", response={"id": "good"})
    hear(talk, "response.done", **done("good"))
    talk.close()
    ids = [record["attributes"].get("gen_ai.response.id") for record in spooled()]
    assert ids.count("good") == 1


@pytest.mark.parametrize(
    ("path", "is_known"),
    [
        ("/v1/realtime", True),
        ("/v1/realtime?model=gpt-realtime", True),
        ("/openai/realtime", True),
        ("/v1/responses", True),
        ("/v1/live/sessions/s1/attach", True),
        ("/v1/realtime/translations", False),
        ("/socket.io/", False),
    ],
)
def test_only_protocols_that_are_known_are_followed(path: str, is_known: bool) -> None:
    assert (conversation.open("api.openai.com", path) is not None) is is_known


def recorded(records: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    models = ("gen_ai.response.model", "gen_ai.request.model")
    return sorted(
        (of(one, models[0])[0] or of(one, models[1])[0], *of(one, "agenttrace.usage", *TOKENS))
        for one in records
    )


def billed(provider: ModelProvider) -> list[tuple[Any, ...]]:
    return sorted((b.model, b.usage, b.input_tokens, b.output_tokens) for b in provider.ledger)


def until(connection: Any, kind: str) -> Any:
    return next(event for event in connection if event.type == kind)


def test_the_real_sdk_talks_in_realtime_and_all_is_counted_as_billed(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script("Good morning.", Reply(tool_calls=[ToolCall("look", {"at": "sky"})]))
    provider.script("Hello.", when=lambda request: request.operation == "transcription")
    hears: Any = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
    message: Any = {"role": "user", "content": [{"type": "input_text", "text": "hello"}]}
    with client.realtime.connect(model="gpt-realtime") as talk:
        talk.session.update(session={"type": "realtime", "audio": hears})
        talk.conversation.item.create(item={"type": "message", **message})
        talk.response.create()
        until(talk, "response.done")
        talk.input_audio_buffer.append(audio="AAAA" * 100)
        talk.input_audio_buffer.commit()
        until(talk, "conversation.item.input_audio_transcription.completed")
        talk.response.create()
        until(talk, "response.done")
    assert recorded(spooled()) == billed(provider)
    assert len(provider.ledger) == 3


def test_the_real_sdk_asks_for_responses_over_one_connection(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script("One.", Failure(429), Reply("Two.", tokens=Tokens(output_tokens=70)))
    with client.responses.connect() as talk:
        for text, end in (("a", "response.completed"), ("b", "error"), ("c", "response.completed")):
            talk.response.create(model="gpt-5", input=text)
            until(talk, end)
    records = spooled()
    refused = [one for one in records if one["status"] == "error"]
    assert [of(one, "error.type", "agenttrace.usage") for one in refused] == [
        ("requests", "missing")
    ]
    assert recorded([one for one in records if one["status"] == "ok"]) == billed(provider)


async def test_connections_side_by_side_keep_their_tasks_apart(
    provider: ModelProvider, spooled: Spooled
) -> None:
    async with openai.AsyncOpenAI(base_url=provider.openai_base_url, api_key="test") as client:

        async def ask(name: str) -> None:
            with agenttrace.agent(name):
                async with client.responses.connect() as talk:
                    await talk.response.create(model=f"gpt-{name}", input=name)
                    async for event in talk:
                        if event.type == "response.completed":
                            return

        await asyncio.gather(*(ask(name) for name in ("a", "b", "c")))
    calls = [one for one in spooled() if one["attributes"]["agenttrace.kind"] == "inference"]
    assert recorded(calls) == billed(provider)
    for call in calls:
        agent, model = of(call, "gen_ai.agent.name", "gen_ai.response.model")
        assert model == f"gpt-{agent}"
