"""Completions, moderation, pictures and sound: the SDK is answered, and the ledger has it."""

import http.client
import json

import openai
import pytest

from agenttrace.testing import Reply, Tokens

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # of Whisper


@pytest.fixture
def client(provider):
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as made:
        yield made


def test_a_completion_answers_each_prompt(provider, client):
    provider.script("Four.", when=lambda request: request.operation == "text_completion")
    made = client.completions.create(model="i", prompt=["one", "two"], n=2)
    assert [choice.text for choice in made.choices] == ["Four."] * 4
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (2, 8)
    assert provider.ledger[0].output_tokens == 8


def test_a_completion_is_streamed_a_word_at_a_time(provider, client):
    provider.script("One two.", when=lambda request: request.operation == "text_completion")
    chunks = list(client.completions.create(model="i", prompt="hi", stream=True))
    assert [chunk.choices[0].text for chunk in chunks] == ["One ", "two.", ""]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert provider.ledger[0].usage == "missing"


@pytest.mark.parametrize("prompt", ["", None, []])
def test_a_completion_needs_a_prompt(client, prompt):
    if prompt == "":
        assert client.completions.create(model="i", prompt=prompt).usage.prompt_tokens == 0
        return
    with pytest.raises(openai.BadRequestError, match="prompt must be"):
        client.completions.create(model="i", prompt=prompt)


def test_a_moderation_flags_nothing_and_tells_no_usage(provider, client):
    made = client.moderations.create(input=["one", "two"])
    assert [result.flagged for result in made.results] == [False, False]
    assert (provider.ledger[0].operation, provider.ledger[0].usage) == ("moderation", "missing")


def test_a_picture_is_a_thousand_tokens(provider, client):
    made = client.images.generate(model="gpt-image-1", prompt="A cat", n=2)
    assert len(made.data) == 2
    assert made.usage.output_tokens_details.image_tokens == 2000
    [billed] = provider.ledger
    assert (billed.input_tokens, billed.output_tokens, billed.output_image_tokens) == (
        2,
        2000,
        2000,
    )


def test_a_picture_that_is_given_counts_by_its_size(provider, client):
    client.images.edit(model="gpt-image-1", prompt="Hat", image=("cat.png", b"\x89PNG" * 100))
    assert provider.requests[0].user == "Hat"
    assert provider.ledger[0].input_image_tokens == 100


def test_speech_is_sound_of_as_many_tokens_as_the_text(provider, client):
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input="Hello there")
    assert speech.read().startswith(b"RIFF")
    [billed] = provider.ledger
    assert (billed.usage, billed.input_tokens, billed.output_audio_tokens) == ("missing", 3, 3)


def test_a_transcription_is_scripted_like_any_reply(provider, client):
    provider.script("Hello.", when=lambda request: request.operation == "transcription")
    sound = ("hello.wav", b"x" * 40)
    made = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=sound)
    assert (made.text, made.usage.input_token_details.audio_tokens) == ("Hello.", 10)
    by_the_second = client.audio.translations.create(model="whisper-1", file=sound)
    assert by_the_second.model_extra["usage"] == {"type": "duration", "seconds": 1}
    assert [billed.usage for billed in provider.ledger] == ["reported", "missing"]


def test_an_upload_that_is_no_form_is_refused(client):
    with pytest.raises(openai.BadRequestError, match="multipart"):
        client.post("/audio/transcriptions", body={"model": "whisper-1"}, cast_to=object)


def test_audio_tokens_of_a_chat_are_said_outright(provider, client):
    provider.script(Reply("Hi.", tokens=Tokens(output_tokens=9, output_audio_tokens=7)))
    messages = [{"role": "user", "content": "hi"}]
    usage = client.chat.completions.create(model="m", messages=messages).usage
    assert usage.completion_tokens_details.audio_tokens == 7


def test_a_body_that_comes_a_chunk_at_a_time_is_read(provider):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]}).encode()
    connection = http.client.HTTPConnection(provider.url.removeprefix("http://"))
    pieces = iter([body[:10], body[10:]])
    connection.request("POST", "/v1/chat/completions", body=pieces, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert provider.requests[0].user == "hello"


def test_a_word_before_the_version_says_nothing_more(provider):
    with openai.OpenAI(base_url=f"{provider.url}/openai/v1", api_key="test") as client:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert provider.ledger[0].endpoint == "/openai/v1/chat/completions"
