import json

import pytest

from agenttrace.testing import Failure, ModelProvider, Reply, ToolCall, count_tokens

ollama = pytest.importorskip("ollama")

HELLO = [{"role": "user", "content": "Hello there"}]
INPUT = count_tokens("user: Hello there\n")


@pytest.fixture
def client(provider: ModelProvider):
    with ollama.Client(host=provider.ollama_host) as made:
        yield made


def test_a_chat_is_counted_and_billed_as_it_is_reported(provider, client):
    call = ToolCall("search", {"q": "x"})
    provider.script(Reply("Good morning.", thinking="Hm, hm.", tool_calls=[call]))
    answer = client.chat(model="qwen3", messages=HELLO)
    assert answer.message.content == "Good morning."
    assert answer.message.thinking == "Hm, hm."
    assert answer.message.tool_calls[0].function.arguments == {"q": "x"}
    (billed,) = provider.ledger
    assert (billed.provider, billed.stream) == ("ollama", False)
    assert (answer.prompt_eval_count, answer.eval_count) == (INPUT, billed.output_tokens)
    assert billed.input_tokens == INPUT


def test_a_stream_of_lines_adds_up(provider, client):
    provider.script("One two three.")
    lines = list(client.chat(model="qwen3", messages=HELLO, stream=True))
    assert [line.message.content for line in lines] == ["One ", "two ", "three.", ""]
    assert [line.done for line in lines] == [False, False, False, True]
    assert (lines[-1].prompt_eval_count, lines[-1].eval_count) == (INPUT, 4)


def test_a_prompt_is_completed_and_a_format_filled(provider, client):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    filled = client.generate(model="qwen3", prompt="Fill", format=schema)
    assert json.loads(filled.response) == {"n": 0}
    streamed = list(client.generate(model="qwen3", prompt="Say it", stream=True))
    assert "".join(one.response for one in streamed) == "You said: Say it"


def test_texts_are_embedded(provider, client):
    made = client.embed(model="nomic", input=["one", "two"])
    assert len(made.embeddings) == 2
    assert made.prompt_eval_count == provider.ledger[0].input_tokens == 2


def test_failures_are_spelt_as_ollama_does(provider, client):
    provider.script(Failure(500), Failure(500, after=1, work="One two."))
    with pytest.raises(ollama.ResponseError) as failed:
        client.chat(model="qwen3", messages=HELLO)
    assert failed.value.status_code == 500
    with pytest.raises(ollama.ResponseError):
        list(client.chat(model="qwen3", messages=HELLO, stream=True))
    assert [billed.outcome for billed in provider.ledger] == ["failed"]
