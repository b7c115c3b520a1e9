"""OpenAI's SDK against the local provider: every protocol, each call once, as billed."""

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from agenttrace.testing import ModelProvider, Reply, Tokens

Records = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

SOUND = ("hello.wav", b"x" * 400)


def said(records: list[dict[str, Any]], name: str) -> list[Any]:
    return [record["attributes"].get(name) for record in records]


def ask(client: openai.OpenAI, text: str = "hello", **more: Any) -> Any:
    messages: Any = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="gpt-5", messages=messages, **more)


@pytest.mark.parametrize("stream", [False, True])
def test_every_choice_of_several_is_in_the_count(
    client: openai.OpenAI, assert_as_billed: Records, stream: bool
) -> None:
    if stream:
        list(ask(client, n=3, stream=True, stream_options={"include_usage": True}))
    else:
        ask(client, n=3)
    assert_as_billed()


@pytest.mark.parametrize("stream", [False, True])
def test_a_deployment_at_azure_is_counted_under_the_model_that_answers(
    provider: ModelProvider, assert_as_billed: Records, stream: bool
) -> None:
    provider.script(Reply("Hi.", model="gpt-5-mini-2026-01-01"))
    with openai.AzureOpenAI(
        azure_endpoint=provider.url, azure_deployment="router", api_key="k", api_version="2026-01"
    ) as azure:
        if stream:
            list(ask(azure, stream=True, stream_options={"include_usage": True}))
        else:
            ask(azure)
    [record] = assert_as_billed()
    assert record["name"] == "gpt-5-mini-2026-01-01"


def test_audio_in_a_chat_is_told_apart(
    client: openai.OpenAI, provider: ModelProvider, assert_as_billed: Records
) -> None:
    tokens = Tokens(
        input_tokens=90, input_audio_tokens=80, output_tokens=70, output_audio_tokens=60
    )
    provider.script(Reply("Hi.", tokens=tokens))
    ask(client)
    [record] = assert_as_billed()
    assert record["attributes"]["gen_ai.usage.audio.input_tokens"] == 80
    assert record["attributes"]["gen_ai.usage.audio.output_tokens"] == 60


@pytest.mark.parametrize("stream", [False, True])
def test_completions_without_messages_are_counted_as_billed(
    client: openai.OpenAI, assert_as_billed: Records, stream: bool
) -> None:
    if stream:
        usage: Any = {"include_usage": True}
        list(client.completions.create(model="i", prompt="hi", stream=True, stream_options=usage))
    else:
        client.completions.create(model="i", prompt=["one", "two"], n=2)
    assert said(assert_as_billed(), "gen_ai.operation.name") == ["text_completion"]


def test_a_stream_of_a_completion_without_usage_is_estimated(
    client: openai.OpenAI, provider: ModelProvider, spooled: Records
) -> None:
    provider.script("One two three four five six.", when=lambda _: True)
    list(client.completions.create(model="i", prompt="Count to six, please.", stream=True))
    [record] = spooled()
    assert record["attributes"]["agenttrace.usage"] == "estimated"
    [billed] = provider.ledger
    estimated = record["attributes"]["gen_ai.usage.output_tokens"]
    assert estimated == pytest.approx(billed.output_tokens, abs=2)


def test_a_moderation_is_a_call_of_the_guard_whose_tokens_are_never_told(
    client: openai.OpenAI, assert_as_billed: Records
) -> None:
    client.moderations.create(input="hello")
    [record] = assert_as_billed()
    assert record["attributes"]["gen_ai.operation.name"] == "moderation"
    assert record["attributes"]["agenttrace.role"] == "guard"
    assert record["attributes"]["agenttrace.usage"] == "missing"
    assert record["status"] == "ok"


def test_pictures_are_counted_as_billed(client: openai.OpenAI, assert_as_billed: Records) -> None:
    client.images.generate(model="gpt-image-1", prompt="A cat.", n=2)
    [record] = assert_as_billed()
    assert record["attributes"]["gen_ai.operation.name"] == "image_generation"
    assert record["attributes"]["gen_ai.usage.image.output_tokens"] == 2000


def test_an_upload_is_counted_as_billed_under_the_model_that_its_form_names(
    client: openai.OpenAI, provider: ModelProvider, assert_as_billed: Records
) -> None:
    provider.script("Hello.", when=lambda request: request.operation == "transcription")
    client.images.edit(model="gpt-image-1", prompt="A hat.", image=("cat.png", b"x" * 400))
    client.audio.transcriptions.create(model="gpt-4o-transcribe", file=SOUND)
    records = assert_as_billed()
    assert said(records, "gen_ai.usage.image.input_tokens") == [100, None]
    assert said(records, "gen_ai.usage.audio.input_tokens") == [None, 100]


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # The SDK says so of Whisper.
def test_what_is_billed_by_the_minute_is_a_call_without_tokens(
    client: openai.OpenAI, assert_as_billed: Records
) -> None:
    client.audio.transcriptions.create(model="whisper-1", file=SOUND)
    client.audio.translations.create(model="whisper-1", file=SOUND)
    assert said(assert_as_billed(), "agenttrace.usage") == ["missing", "missing"]


def test_speech_is_a_call_whose_sound_passes_untouched(
    client: openai.OpenAI, assert_as_billed: Records
) -> None:
    speech = client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="Hello.")
    assert speech.read().startswith(b"RIFF")
    [record] = assert_as_billed()
    assert record["attributes"]["gen_ai.operation.name"] == "speech"


def test_a_response_in_the_background_learns_its_usage_when_it_is_fetched(
    client: openai.OpenAI, provider: ModelProvider, spooled: Records
) -> None:
    made = client.responses.create(model="gpt-5", input="hello", background=True)
    client.responses.retrieve(made.id)
    call, fetched = spooled()
    assert said([call, fetched], "gen_ai.operation.name") == ["chat", "fetch_response"]
    assert said([call, fetched], "agenttrace.usage") == ["missing", "reported"]
    assert said([call, fetched], "gen_ai.response.id") == [made.id, made.id]
    [billed] = provider.ledger
    assert fetched["attributes"]["gen_ai.usage.output_tokens"] == billed.output_tokens


def test_cancelling_a_response_is_no_call_of_its_own(
    client: openai.OpenAI, spooled: Records
) -> None:
    made = client.responses.create(model="gpt-5", input="hello", background=True)
    client.responses.cancel(made.id)
    assert said(spooled(), "gen_ai.operation.name") == ["chat", "fetch_response"]


def lines_of(*requests: tuple[str, dict[str, Any]]) -> bytes:
    lines = [
        {"custom_id": f"c{at}", "method": "POST", "url": url, "body": {"model": "gpt-5", **body}}
        for at, (url, body) in enumerate(requests)
    ]
    return "\n".join(map(json.dumps, lines)).encode()


HELLO = ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hello"}]})


def test_each_line_of_a_batch_is_a_call_that_the_results_tell_of(
    client: openai.OpenAI, assert_as_billed: Records
) -> None:
    requests = (
        HELLO,
        ("/v1/responses", {"input": "hello"}),
        ("/v1/embeddings", {"input": "hello"}),
        ("/v1/chat/completions", {"messages": []}),  # Refused, so not billed.
    )
    file = client.files.create(file=("b.jsonl", lines_of(*requests)), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    output = client.batches.retrieve(batch.id).output_file_id
    assert output is not None
    client.files.content(output).read()
    records = assert_as_billed()
    assert said(records, "gen_ai.operation.name") == ["fetch_response"] * 3
    assert len(set(said(records, "gen_ai.response.id"))) == 3


def test_a_file_that_holds_no_results_is_left_alone(
    client: openai.OpenAI, spooled: Records
) -> None:
    file = client.files.create(file=("b.jsonl", lines_of(HELLO)), purpose="batch")
    client.files.content(file.id).read()
    client.files.retrieve(file.id)
    client.models.list()
    assert spooled() == []
