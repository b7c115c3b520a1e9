"""Conversations over websockets, held by the real SDK and by a bare client."""

from typing import Any

import openai
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from agenttrace.testing import Failure, Reply, ToolCall

# OpenAI's SDK opens connections in a way that websockets 17 calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager")


@pytest.fixture
def client(provider):
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as made:
        yield made


def until(connection: Any, kind: str) -> list[Any]:
    heard = []
    for event in connection:
        heard.append(event)
        if event.type == kind:
            break
    return heard


def test_a_conversation_in_text_goes_on_from_what_was_said(provider, client):
    provider.script("Good morning.", "Good night.")
    with client.realtime.connect(model="gpt-realtime") as talk:
        talk.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        for text in ("hello", "bye"):
            content = [{"type": "input_text", "text": text}]
            talk.conversation.item.create(
                item={"type": "message", "role": "user", "content": content}
            )
            talk.response.create()
            *_, done = heard = until(talk, "response.done")
    deltas = [event.delta for event in heard if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "Good night."
    assert provider.requests[1].user == "bye"
    assert done.response.usage.input_tokens == provider.ledger[1].input_tokens
    assert {billed.outcome for billed in provider.ledger} == {"complete"}


def test_a_tool_may_be_called_in_a_conversation(provider, client):
    provider.script(Reply(tool_calls=[ToolCall("look", {"at": "sky"})]))
    tool = {"type": "function", "name": "look", "parameters": {"type": "object"}}
    with client.realtime.connect(model="gpt-realtime") as talk:
        talk.response.create(response={"tools": [tool], "instructions": "Look."})
        *_, done = until(talk, "response.done")
    [call] = done.response.output
    assert (call.name, call.arguments) == ("look", '{"at":"sky"}')
    assert (provider.requests[0].system, list(provider.requests[0].tools)) == ("Look.", ["look"])


def test_what_is_said_is_transcribed_where_the_session_wants_it(provider, client):
    provider.script("Hello.", when=lambda request: request.operation == "transcription")
    wanted: Any = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
    with client.realtime.connect(model="gpt-realtime") as talk:
        talk.session.update(session={"type": "realtime", "audio": wanted})
        talk.input_audio_buffer.append(audio="AAAA" * 40)
        talk.input_audio_buffer.commit()
        kind = "conversation.item.input_audio_transcription.completed"
        *_, heard = until(talk, kind)
        talk.input_audio_buffer.clear()
        *_, refused = until(talk, "error")
    assert heard.transcript == "Hello."
    assert provider.ledger[0].input_audio_tokens == 30
    assert "Unknown event" in refused.error.message


def test_responses_over_one_connection_succeed_and_fail_as_scripted(provider, client):
    provider.script("One.", Failure(429), Failure(500, work="Two three.", after=1), "Four.")
    with client.responses.connect() as talk:
        for end in ("response.completed", "error", "error", "response.completed"):
            talk.response.create(model="gpt-5", input="hello")
            until(talk, end)
    outcomes = [billed.outcome for billed in provider.ledger]
    assert outcomes == ["complete", "failed", "complete"]


def test_a_program_that_hangs_up_is_billed_what_was_generated(provider):
    provider.script(Reply("One two three.", stall_after=1))
    url = provider.openai_base_url.replace("http", "ws") + "/responses"
    with connect(url) as talk:
        talk.send('{"type": "response.create", "model": "gpt-5", "input": "hello"}')
        while "delta" not in str(talk.recv()):
            """The first word has not come yet."""
    [billed] = provider.ledger
    assert (billed.outcome, billed.output_tokens) == ("abandoned", 1)


def test_a_connection_breaks_where_the_script_says(provider):
    provider.script(Reply("One two three.", cut_after=1))
    url = provider.openai_base_url.replace("http", "ws") + "/responses"
    with connect(url) as talk:
        talk.send('{"type": "response.create", "model": "gpt-5", "input": "hello"}')
        with pytest.raises(ConnectionClosed):
            list(iter(talk.recv, None))
    assert provider.ledger[0].outcome == "cut"


def test_long_messages_pings_and_pieces_are_understood(provider):
    url = provider.openai_base_url.replace("http", "ws") + "/responses"
    long = "word " * 20_000
    with connect(url) as talk:
        assert talk.ping().wait(5)
        talk.send(['{"type": "response.create", "model": "gpt-5", ', f'"input": "{long}"}}'])
        while "response.completed" not in str(talk.recv()):
            """The answer goes on."""
    assert provider.requests[0].user == long
