"""The meter at gRPC: Google's own clients against a service in this process."""

import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent import futures
from typing import Any

import pytest

import agenttrace
from agenttrace.record.wire.transports import grpc_calls

grpc = pytest.importorskip("grpc")
genai = pytest.importorskip("google.ai.generativelanguage_v1beta")
transports = pytest.importorskip(
    "google.ai.generativelanguage_v1beta.services.generative_service.transports"
)

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

SERVICE = "google.ai.generativelanguage.v1beta.GenerativeService"
MODEL = "models/gemini-2.5-flash"


def answer(text: str, output: int, *, ends: bool = True) -> Any:
    return genai.GenerateContentResponse(
        candidates=[
            {"content": {"parts": [{"text": text}]}, "finish_reason": "STOP" if ends else 0}
        ],
        usage_metadata={"prompt_token_count": 7, "candidates_token_count": output},
        model_version="gemini-2.5-flash-001",
        response_id="r-1",
    )


ANSWER = answer("hello", 2)
PIECES = [answer("he", 1, ends=False), answer("llo", 2)]


class Service:
    """Says what it is told to; ``asked`` has the requests."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.failing: list[Any] = []
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        request, response = genai.GenerateContentRequest, genai.GenerateContentResponse
        coded = {
            "request_deserializer": request.deserialize,
            "response_serializer": response.serialize,
        }
        handlers = {
            "GenerateContent": grpc.unary_unary_rpc_method_handler(self._generate, **coded),
            "StreamGenerateContent": grpc.unary_stream_rpc_method_handler(self._stream, **coded),
            "CountTokens": grpc.unary_unary_rpc_method_handler(
                lambda *_: genai.CountTokensResponse(total_tokens=3),
                genai.CountTokensRequest.deserialize,
                genai.CountTokensResponse.serialize,
            ),
        }
        generic = grpc.method_handlers_generic_handler(SERVICE, handlers)
        self._server.add_generic_rpc_handlers((generic,))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def _generate(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        if self.failing:
            context.abort(self.failing.pop(0), "as told")
        return ANSWER

    def _stream(self, request: Any, context: Any) -> Iterator[Any]:
        self.asked.append(request)
        yield PIECES[0]
        if self.failing:
            context.abort(self.failing.pop(0), "as told")
        yield PIECES[1]

    def stop(self) -> None:
        self._server.stop(None).wait()


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.stop()


@pytest.fixture
def client(service: Service) -> Iterator[Any]:
    with grpc.insecure_channel(service.address) as channel:
        transport = transports.GenerativeServiceGrpcTransport(channel=channel)
        yield genai.GenerativeServiceClient(transport=transport)


@pytest.fixture
async def aclient(service: Service) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(service.address) as channel:
        transport = transports.GenerativeServiceGrpcAsyncIOTransport(channel=channel)
        yield genai.GenerativeServiceAsyncClient(transport=transport)


def request() -> Any:
    contents = [{"role": "user", "parts": [{"text": "hello"}]}]
    return genai.GenerateContentRequest(model=MODEL, contents=contents)


def usage(record: dict[str, Any]) -> tuple[Any, Any, Any]:
    attributes = record["attributes"]
    return (
        attributes["agenttrace.usage"],
        attributes.get("gen_ai.usage.input_tokens"),
        attributes.get("gen_ai.usage.output_tokens"),
    )


def outcome(record: dict[str, Any]) -> str:
    return record["attributes"]["agenttrace.outcome"]


def test_a_call_is_counted(client: Any, service: Service, spooled: Spooled) -> None:
    with agenttrace.task("t", id="t-1"):
        assert client.generate_content(request()) == ANSWER
    assert service.asked == [request()]
    (record, _) = sorted(spooled(), key=lambda r: r["attributes"]["agenttrace.kind"])
    attributes = record["attributes"]
    assert usage(record) == ("reported", 7, 2)
    assert attributes["gen_ai.request.model"] == "gemini-2.5-flash"
    assert attributes["gen_ai.response.model"] == "gemini-2.5-flash-001"
    assert attributes["gen_ai.response.id"] == "r-1"
    assert attributes["server.address"] == "127.0.0.1"
    assert attributes["task.id"] == "t-1"


def test_a_stream_is_counted(client: Any, spooled: Spooled) -> None:
    assert list(client.stream_generate_content(request())) == PIECES
    (record,) = spooled()
    assert usage(record) == ("reported", 7, 2)
    assert outcome(record) == "complete"
    assert record["attributes"]["gen_ai.request.stream"] is True


def test_a_stream_that_the_program_leaves_is_abandoned(client: Any, spooled: Spooled) -> None:
    stream = client.stream_generate_content(request())
    assert next(iter(stream)) == PIECES[0]
    stream.cancel()
    del stream
    gc.collect()
    (record,) = spooled()
    assert outcome(record) == "abandoned"
    assert usage(record)[:2] == ("estimated", 7)


def test_a_failure_has_the_name_that_the_service_gave_it(
    client: Any, service: Service, spooled: Spooled
) -> None:
    service.failing = [grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL]
    exceptions = pytest.importorskip("google.api_core.exceptions")
    with pytest.raises(exceptions.ResourceExhausted):
        client.generate_content(request(), retry=None)
    with pytest.raises(exceptions.InternalServerError):
        list(client.stream_generate_content(request()))
    records = spooled()
    assert [r["attributes"]["error.type"] for r in records] == ["RESOURCE_EXHAUSTED", "INTERNAL"]
    assert usage(records[0])[0] == "missing"
    assert usage(records[1])[:2] == ("estimated", 7)


def test_a_future_is_counted(service: Service, spooled: Spooled) -> None:
    with grpc.insecure_channel(service.address) as channel:
        ask = channel.unary_unary(
            f"/{SERVICE}/GenerateContent",
            genai.GenerateContentRequest.serialize,
            genai.GenerateContentResponse.deserialize,
        )
        promises = [ask.future(request()) for _ in range(3)]
        assert ask.with_call(request())[0] == ANSWER
        assert [promise.result() for promise in promises] == [ANSWER] * 3
        deadline = time.monotonic() + 5
        while len(spooled()) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)  # gRPC calls back after it has told the result
    assert [usage(record) for record in spooled()] == [("reported", 7, 2)] * 4


async def test_async_calls_at_once_are_all_counted(aclient: Any, spooled: Spooled) -> None:
    calls = [aclient.generate_content(request()) for _ in range(3)]
    assert [await call for call in calls] == [ANSWER] * 3
    assert len(spooled()) == 3


async def test_an_async_call_is_counted(aclient: Any, spooled: Spooled) -> None:
    assert await aclient.generate_content(request()) == ANSWER
    stream = await aclient.stream_generate_content(request())
    assert [piece async for piece in stream] == PIECES
    records = spooled()
    assert [usage(record) for record in records] == [("reported", 7, 2)] * 2
    assert [outcome(record) for record in records] == ["complete"] * 2


async def test_an_async_failure_has_the_name_that_the_service_gave_it(
    aclient: Any, service: Service, spooled: Spooled
) -> None:
    service.failing = [grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL]
    exceptions = pytest.importorskip("google.api_core.exceptions")
    with pytest.raises(exceptions.ResourceExhausted):
        await aclient.generate_content(request(), retry=None)
    stream = await aclient.stream_generate_content(request())
    with pytest.raises(exceptions.InternalServerError):
        assert [piece async for piece in stream] == []
    assert [r["attributes"]["error.type"] for r in spooled()] == ["RESOURCE_EXHAUSTED", "INTERNAL"]


def test_counting_tokens_is_no_call(client: Any, spooled: Spooled) -> None:
    assert client.count_tokens(model=MODEL, contents=[]).total_tokens == 3
    assert spooled() == []


def test_a_hook_that_another_tracer_keeps_in_place_does_nothing_any_more(
    client: Any, spooled: Spooled, traced_by_another: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced_by_another(grpc._channel._MultiThreadedRendezvous, "_next")
    seen: list[Any] = []
    see = grpc_calls._see

    def seeing(body: Any, message: Any) -> None:
        seen.append(message)
        see(body, message)

    monkeypatch.setattr(grpc_calls, "_see", seeing)
    assert list(client.stream_generate_content(request())) == PIECES
    assert seen == PIECES
    assert usage(spooled()[0]) == ("reported", 7, 2)


def test_shutdown_takes_the_hooks_out() -> None:
    agenttrace.shutdown()
    calls = grpc._channel
    assert not hasattr(calls._UnaryUnaryMultiCallable.__call__, "__wrapped__")
    assert not hasattr(calls._MultiThreadedRendezvous._next, "__wrapped__")
    assert not hasattr(grpc.aio._call.UnaryUnaryCall.__init__, "__wrapped__")
