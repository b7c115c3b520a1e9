"""Batches of both providers: billed when they are made, told of when they are fetched."""

import json
from typing import Any

import anthropic
import openai
import pytest

from agenttrace.testing import Failure, Inner, Reply, Tokens

HELLO: Any = [{"role": "user", "content": "hello"}]


@pytest.fixture
def client(provider):
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as made:
        yield made


@pytest.fixture
def claude(provider):
    with anthropic.Anthropic(base_url=provider.anthropic_base_url, api_key="test") as made:
        yield made


def batch_of(client: openai.OpenAI, *bodies: Any, url: str = "/v1/chat/completions") -> Any:
    lines = [
        json.dumps({"custom_id": f"c{at}", "method": "POST", "url": url, "body": body})
        for at, body in enumerate(bodies)
    ]
    file = client.files.create(file=("b.jsonl", "\n".join(lines).encode()), purpose="batch")
    made = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    assert made.status == "validating"
    return client.batches.retrieve(made.id)


def test_each_line_is_played_and_its_results_are_fetched(provider, client):
    provider.script("One.", Failure(500), "Three.")
    body = {"model": "gpt-5", "messages": HELLO}
    batch = batch_of(client, body, body, body, {"model": "gpt-5", "messages": []})
    assert (batch.status, batch.request_counts.completed, batch.request_counts.failed) == (
        "completed", 2, 2,
    )  # fmt: skip
    assert [billed.usage for billed in provider.ledger] == ["missing", "missing"]

    lines = client.files.content(batch.output_file_id).text.splitlines()
    answers = [json.loads(line)["response"] for line in lines]
    assert [answer["status_code"] for answer in answers] == [200, 500, 200, 400]
    assert answers[0]["body"]["choices"][0]["message"]["content"] == "One."
    assert [billed.usage for billed in provider.ledger] == ["reported", "reported"]
    assert provider.ledger[0].endpoint == "/v1/chat/completions"


def test_a_batch_of_nothing_that_is_spoken_is_refused(client):
    with pytest.raises(openai.BadRequestError, match="no endpoint"):
        batch_of(client, {}, url="/v1/models")


@pytest.mark.parametrize("path", ["files/file-9", "files/file-9/content", "batches/batch_9"])
def test_what_is_not_there_is_not_found(client, path):
    with pytest.raises(openai.APIStatusError):
        client.get(f"/{path}", cast_to=object)


def test_a_batch_of_messages_is_played_and_its_results_are_fetched(provider, claude):
    provider.script("One.", Failure(529))
    params = {"model": "claude", "max_tokens": 9, "messages": HELLO}
    made = claude.messages.batches.create(
        requests=[{"custom_id": name, "params": params} for name in ("a", "b")]
    )
    assert made.processing_status == "in_progress"
    done = claude.messages.batches.retrieve(made.id)
    assert (done.request_counts.succeeded, done.request_counts.errored) == (1, 1)
    assert [billed.usage for billed in provider.ledger] == ["missing"]
    first, second = claude.messages.batches.results(made.id)
    assert first.result.message.content[0].text == "One."
    assert second.result.error.error.type == "overloaded_error"
    assert [billed.usage for billed in provider.ledger] == ["reported"]
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.batches.retrieve("msgbatch_9")


def test_what_the_provider_does_on_its_own_is_billed_in_a_line_of_its_own(provider, claude):
    inner = Inner("compaction", Tokens(input_tokens=900, output_tokens=50), model="claude-small")
    provider.script(Reply("Done.", inner=[inner]))
    message = claude.beta.messages.create(model="claude", max_tokens=9, messages=HELLO)
    told = [(one.type, one.input_tokens, one.output_tokens) for one in message.usage.iterations]
    assert told == [("compaction", 900, 50), ("message", 3, 2)]
    assert [(one.model, one.input_tokens, one.usage) for one in provider.ledger] == [
        ("claude", 3, "reported"),
        ("claude-small", 900, "reported"),
    ]


def test_a_protocol_that_does_not_tell_of_inner_calls_bills_them_all_the_same(provider, client):
    provider.script(Reply("Done.", inner=[Inner("advisor_message", Tokens(output_tokens=7))]))
    client.chat.completions.create(model="gpt-5", messages=HELLO)
    assert [one.usage for one in provider.ledger] == ["reported", "missing"]
