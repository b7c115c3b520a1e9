"""The meter under Ollama's SDK: each attempt once, and its tokens as the server counted them."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from agenttrace.testing import Billed, Failure, ModelProvider, Reply, ToolCall

ollama = pytest.importorskip("ollama")

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

HELLO = [{"role": "user", "content": "Hello there"}]
COUNTED = (
    ("gen_ai.usage.input_tokens", "input_tokens"),
    ("gen_ai.usage.output_tokens", "output_tokens"),
)


@pytest.fixture
def client(provider: ModelProvider) -> Iterator[Any]:
    with ollama.Client(host=provider.ollama_host) as made:
        yield made


def counted(record: dict[str, Any]) -> dict[str, int]:
    return {name: record["attributes"].get(key, 0) for key, name in COUNTED}


def billed(entry: Billed) -> dict[str, int]:
    return {name: getattr(entry, name) for _, name in COUNTED}


def assert_equal_to_the_ledger(records: list[dict[str, Any]], provider: ModelProvider) -> None:
    assert [counted(record) for record in records] == [billed(entry) for entry in provider.ledger]
    assert {record["attributes"]["agenttrace.usage"] for record in records} == {"reported"}


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_said_is_counted_as_billed(
    client: Any, provider: ModelProvider, spooled: Spooled, stream: bool
) -> None:
    call = ToolCall("search", {"q": "x"})
    provider.script(Reply("Hi.", thinking="Hm, hm."), Reply(tool_calls=[call]), "One two.")
    answers = [
        client.chat(model="qwen3", messages=HELLO, stream=stream),
        client.chat(model="qwen3", messages=HELLO, stream=stream),
        client.generate(model="qwen3", prompt="Hello", stream=stream),
    ]
    for answer in answers if stream else ():
        list(answer)
    records = spooled()
    assert_equal_to_the_ledger(records, provider)
    for record in records:
        assert record["attributes"]["gen_ai.provider.name"] == "ollama"
        assert record["attributes"]["gen_ai.response.model"] == "qwen3"
        assert record["attributes"].get("gen_ai.request.stream", False) is stream
    assert records[2]["attributes"]["gen_ai.operation.name"] == "text_completion"


def test_a_stream_is_known_where_nothing_was_said_of_it(
    provider: ModelProvider, spooled: Spooled
) -> None:
    body = {"model": "qwen3", "messages": HELLO}
    httpx.post(f"{provider.ollama_host}/api/chat", json=body)
    assert_equal_to_the_ledger(spooled(), provider)
    assert spooled()[0]["attributes"]["gen_ai.request.stream"] is True


def test_embeddings_are_counted_and_loading_is_no_call(
    client: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    client.embed(model="nomic", input=["one", "two"])
    client.generate(model="qwen3")
    (record,) = spooled()
    assert counted(record) == billed(provider.ledger[0])
    assert record["attributes"]["agenttrace.role"] == "embedding"


def test_a_failure_in_a_stream_is_kept_without_its_text(
    client: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Failure(500, after=1, work="One two.", message="secret"))
    with pytest.raises(ollama.ResponseError):
        list(client.chat(model="qwen3", messages=HELLO, stream=True))
    (record,) = spooled()
    assert record["attributes"]["error.type"] == "error"
    assert record["attributes"]["agenttrace.usage"] == "estimated"
    assert "secret" not in str(record)


def test_what_is_not_said_is_not_made_up(
    client: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Reply("Hi", usage="missing"), Reply("Hi", usage="null"))
    for _ in range(2):
        client.chat(model="qwen3", messages=HELLO)
    assert {record["attributes"]["agenttrace.usage"] for record in spooled()} == {"missing"}
