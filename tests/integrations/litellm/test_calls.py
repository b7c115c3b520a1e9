"""Calls, streams, retries, fallbacks and caches: what is a call, once, and as what."""

import asyncio
import gc
import pickle
import time
from collections.abc import Callable
from typing import Any

import litellm
import pytest
from litellm import CustomLLM, ModelResponse, Router
from litellm.caching.caching import Cache

import agenttrace
from agenttrace.testing import Failure
from agenttrace_litellm import LiteLLMInstrumentor
from agenttrace_litellm.handler import HANDLER
from agenttrace_litellm.streams import STREAMS

pytestmark = [
    # Pydantic does not like some of LiteLLM's types, nor how older versions use it.
    pytest.mark.filterwarnings("ignore::UserWarning:pydantic"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:litellm"),
    # LiteLLM leaves its worker for callbacks and the connections of its streams behind.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. .*(LoggingWorker|socket|Transport)"
        ":pytest.PytestUnraisableExceptionWarning"
    ),
]

HELLO = [{"role": "user", "content": "Hello there"}]
ONE_CALL = ["frame gpt-5: main of nobody", "  wire gpt-5: main of nobody"]
FOUR_WAYS = pytest.mark.parametrize("how", ["call", "acall", "stream", "astream"])
MODELS = pytest.mark.parametrize("model", ["openai/gpt-5", "anthropic/claude-haiku-4-5"])


async def drive(how: str, model: str = "openai/gpt-5", **options: Any) -> Any:
    """Ask by one of the four ways; streams are read to their end."""
    options = {"model": model, "messages": HELLO, **options}
    if how == "call":
        return litellm.completion(**options)
    if how == "acall":
        return await litellm.acompletion(**options)
    if how == "stream":
        return list(litellm.completion(stream=True, **options))
    return [chunk async for chunk in await litellm.acompletion(stream=True, **options)]


async def become(outline: Callable[[], list[str]], expected: list[str]) -> None:
    """Wait for LiteLLM's callbacks, which it makes in the background, and compare."""
    until = time.monotonic() + 20
    while time.monotonic() < until and (len(STREAMS) or outline() != expected):
        gc.collect()  # it leaves the last line of some streams unread, and their responses open
        await asyncio.sleep(0.01)
    assert outline() == expected


def inferences(spooled: Any) -> list[dict[str, Any]]:
    said = (record["attributes"] for record in spooled())
    return [one for one in said if one["agenttrace.kind"] == "inference"]


@FOUR_WAYS
@MODELS
async def test_a_call_is_recorded_once(how, model, provider, outline, spooled):
    await drive(how, model)
    while len(STREAMS):
        await asyncio.sleep(0.01)
    # Some versions keep a stream that they have read nearly to its end; this is the latest end.
    agenttrace.shutdown()
    name = model.partition("/")[2]
    assert outline() == [f"frame {name}: main of nobody", f"  wire {name}: main of nobody"]
    frame, wire = inferences(spooled)
    (billed,) = provider.ledger
    assert frame["gen_ai.operation.name"] == wire["gen_ai.operation.name"] == "chat"
    assert frame["gen_ai.provider.name"] == model.partition("/")[0]
    assert (wire["gen_ai.usage.input_tokens"], wire["gen_ai.usage.output_tokens"]) == (
        billed.input_tokens,
        billed.output_tokens,
    ) or wire["agenttrace.usage"] == "estimated"


@FOUR_WAYS
async def test_a_call_is_its_agents(how, provider, outline):
    with agenttrace.task("ticket"), agenttrace.agent("helper"):
        await drive(how)
    call = ["    frame gpt-5: main of helper", "      wire gpt-5: main of helper"]
    await become(outline, ["task ticket", "  agent helper", *call])
    assert agenttrace.current() is None


async def test_the_consumer_of_a_stream_is_not_inside_it(provider, outline):
    async for _ in await litellm.acompletion("openai/gpt-5", HELLO, stream=True):
        assert agenttrace.current() is None
    for _ in litellm.completion("openai/gpt-5", HELLO, stream=True):
        assert agenttrace.current() is None
    await become(outline, ONE_CALL * 2)


async def test_concurrent_calls_keep_apart(provider, spooled):
    async def one(number: int) -> None:
        with agenttrace.agent(f"agent {number}"):
            await drive("astream" if number % 2 else "acall", f"openai/model-{number}")

    await asyncio.gather(*(one(number) for number in range(6)))
    while len(STREAMS):
        await asyncio.sleep(0.01)
    found = {(one["gen_ai.request.model"], one["gen_ai.agent.name"]) for one in inferences(spooled)}
    assert found == {(f"model-{n}", f"agent {n}") for n in range(6)}


@pytest.mark.parametrize("how", ["call", "acall"])
async def test_a_failure_is_recorded_by_its_type(how, provider, outline, spooled):
    provider.script(Failure(500))
    with pytest.raises(litellm.InternalServerError):
        await drive(how, max_retries=0)
    assert outline() == [
        "frame gpt-5: main of nobody !InternalServerError",
        "  wire gpt-5: main of nobody !500",
    ]
    assert "in the script" not in str(spooled())


@pytest.fixture
def router(provider: Any) -> Any:
    """A group that has two deployments, and one to fall back to."""

    def deployment(group: str, model: str) -> dict[str, Any]:
        params = {"model": f"openai/{model}", "api_key": "test"}
        return {"model_name": group, "litellm_params": params}

    return Router(
        model_list=[
            deployment("first", "gpt-5"),
            deployment("second", "gpt-5-mini"),
        ],
        fallbacks=[{"first": ["second"]}],
        num_retries=1,
        retry_after=0,
        disable_cooldowns=True,
    )


async def test_the_routers_retries_and_fallbacks_have_their_roles(router, provider, outline):
    provider.script(Failure(500), Failure(500), when=lambda request: request.model == "gpt-5")
    with agenttrace.agent("helper"):
        answer = await router.acompletion(model="first", messages=HELLO)
    assert answer.choices[0].message.content == "You said: Hello there"
    assert outline() == [
        "agent helper",
        "  frame gpt-5: main of helper !InternalServerError",
        "    wire gpt-5: main of helper !500",
        "  frame gpt-5: retry of helper !InternalServerError",
        "    wire gpt-5: retry of helper !500",
        "  frame gpt-5-mini: fallback of helper",
        "    wire gpt-5-mini: fallback of helper",
    ]


async def test_a_fallback_inside_a_tool_is_the_tools(router, provider, outline):
    provider.script(Failure(500), Failure(500), when=lambda request: request.model == "gpt-5")
    with agenttrace.tool("sum_up"):
        await router.acompletion(model="first", messages=HELLO)
    assert outline()[-1] == "    wire gpt-5-mini: tool of nobody"


@pytest.mark.parametrize("how", ["call", "acall"])
async def test_a_call_that_falls_back_by_itself_is_one_operation(how, provider, outline):
    provider.script(Failure(500), when=lambda request: request.model == "gpt-5")
    answer = await drive(how, fallbacks=["openai/gpt-5-mini"], max_retries=0)
    assert answer.model == "gpt-5-mini"
    await become(outline, FALLEN_BACK)


FALLEN_BACK = [
    "frame gpt-5: main of nobody",
    "  frame gpt-5: main of nobody !InternalServerError",
    "    wire gpt-5: main of nobody !500",
    "  frame gpt-5-mini: fallback of nobody",
    "    wire gpt-5-mini: fallback of nobody",
]


async def test_a_stream_that_falls_back_ends(provider, outline):
    provider.script(Failure(500), when=lambda request: request.model == "gpt-5")
    await drive("astream", fallbacks=["openai/gpt-5-mini"], max_retries=0)
    await become(outline, FALLEN_BACK)


async def test_attempts_of_the_sdk_inside_are_seen_in_the_frame(provider, outline, spooled):
    provider.script(Failure(500), "Here.")
    await drive("acall", max_retries=1)
    assert outline() == [
        "frame gpt-5: main of nobody",
        "  wire gpt-5: main of nobody !500",
        "  wire gpt-5: main of nobody",
    ]
    assert [one.get("agenttrace.attempt") for one in inferences(spooled)] == [None, 1, 2]


@FOUR_WAYS
async def test_an_answer_from_the_cache_is_no_call(how, provider, outline, monkeypatch):
    monkeypatch.setattr(litellm, "cache", Cache(type="local"))
    await drive(how)
    await become(outline, ONE_CALL)
    await asyncio.sleep(0.05)  # an async answer is put into the cache in the background
    await drive(how)
    await become(outline, ONE_CALL)
    assert len(provider.ledger) == 1


class Local(CustomLLM):
    """A model without a transport."""

    def completion(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return litellm.completion(
            "stand-in", HELLO, mock_response="From here.", custom_llm_provider="openai"
        )

    async def acompletion(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return await asyncio.to_thread(self.completion)


async def test_a_model_without_a_transport_is_counted_by_its_frame(outline, spooled):
    litellm.completion("openai/gpt-5", HELLO, mock_response="Said here.")
    assert outline() == ["frame gpt-5: main of nobody"]
    (frame,) = inferences(spooled)
    assert frame["agenttrace.usage"] == "reported"
    assert frame["gen_ai.usage.output_tokens"] > 0


async def test_a_custom_provider_is_counted_once(outline, monkeypatch):
    monkeypatch.setattr(
        litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": Local()}]
    )
    await litellm.acompletion("mine/model", HELLO)
    assert [line.split(":")[0].strip() for line in outline()] == ["frame model", "frame stand-in"]


@pytest.mark.parametrize("how", ["call", "acall"])
async def test_an_embedding_says_so(how, provider, outline, spooled):
    options: Any = {"model": "openai/text-embedding-3-small", "input": ["a", "b"]}
    if how == "call":
        litellm.embedding(**options)
    else:
        await litellm.aembedding(**options)
    assert [one["gen_ai.operation.name"] for one in inferences(spooled)] == ["embeddings"] * 2
    frame, wire = inferences(spooled)
    assert frame["agenttrace.usage"] == wire["agenttrace.usage"] == "reported"


async def test_the_responses_api_is_recorded_once(provider, outline):
    await litellm.aresponses(model="openai/gpt-5", input="Hello")
    litellm.responses(model="openai/gpt-5", input="Hello")
    for _ in litellm.responses(model="openai/gpt-5", input="Hello", stream=True):
        pass
    await become(outline, ONE_CALL * 3)


@pytest.mark.parametrize(
    "said", [{"litellm_session_id": "chat 7"}, {"metadata": {"session_id": "chat 7"}}]
)
async def test_a_session_is_the_conversation(said, provider, spooled):
    await drive("acall", **said)
    assert {one["gen_ai.conversation.id"] for one in inferences(spooled)} == {"chat 7"}


async def test_a_stream_ends_also_where_the_program_sets_callbacks_of_its_own(provider, outline):
    litellm.callbacks = []
    await drive("stream")
    await become(outline, ONE_CALL)
    assert HANDLER in litellm.callbacks


async def test_a_stream_left_half_way_is_given_up_at_the_end(provider, outline, spooled):
    provider.script("One two three four five six seven.")
    stream = litellm.completion("openai/gpt-5", HELLO, stream=True)
    next(stream)
    assert len(STREAMS) == 1
    LiteLLMInstrumentor().uninstrument()
    del stream
    frame = next(one for one in inferences(spooled) if one["agenttrace.capture"] == "frame")
    assert frame["agenttrace.outcome"] == "abandoned"


async def test_after_uninstrument_only_the_wire_is_left(provider, outline):
    LiteLLMInstrumentor().uninstrument()
    await drive("call")
    await drive("astream")
    assert outline() == ["wire gpt-5: main of nobody"] * 2
    assert HANDLER not in litellm.callbacks
    assert not hasattr(litellm.completion, "__wrapped__") or "agenttrace" not in str(
        litellm.completion.__code__.co_filename
    )


def test_the_proxy_finds_its_callback_by_name(provider, outline):
    from litellm.proxy.types_utils.utils import get_instance_fn

    LiteLLMInstrumentor().uninstrument()
    found = get_instance_fn("agenttrace_litellm.proxy_handler")
    assert found is HANDLER
    litellm.completion("openai/gpt-5", HELLO)
    assert outline() == ONE_CALL


async def test_nothing_that_was_said_is_kept(provider, spooled):
    provider.script("the loud answer")
    await litellm.acompletion(
        "openai/gpt-5",
        [{"role": "user", "content": "the quiet harbour"}],
        metadata={"note": "the long note"},
    )
    kept = str(spooled())
    for said in ("loud", "harbour", "long note"):
        assert said not in kept


@pytest.mark.parametrize("name", ["completion", "acompletion", "embedding"])
def test_a_function_can_be_sent_to_another_process(name):
    function = getattr(litellm, name)
    assert pickle.loads(pickle.dumps(function)) is function


@FOUR_WAYS
@pytest.mark.parametrize("broken", ["model_of", "answer_of"])
async def test_what_goes_wrong_in_here_does_not_reach_the_program(
    how, broken, provider, monkeypatch, trouble
):
    def raising(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(f"agenttrace_litellm.frames.{broken}", raising)
    await drive(how)
    STREAMS.clear()
    assert len(provider.ledger) == 1
    assert "secret" not in str(trouble)
