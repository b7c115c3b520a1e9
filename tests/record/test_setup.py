"""configure joins what is there, and the task travels into threads and processes."""

import gzip
import json
import multiprocessing
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry import baggage, trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import agenttrace
from agenttrace.integration import tracer_provider
from agenttrace.record import setup
from agenttrace.record import trouble as recording_trouble
from agenttrace.testing import ModelProvider

Spooled = Callable[[], list[dict[str, Any]]]


def call() -> None:
    agenttrace.start("inference", "chat").stop()


def test_importing_agenttrace_loads_neither_the_sdk_nor_duckdb() -> None:
    program = (
        "import sys, agenttrace\n"
        "heavy = {'opentelemetry', 'duckdb', 'click', 'rich', 'msgspec', 'httpx', 'httpx2'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_every_public_name_loads_and_the_list_is_sorted() -> None:
    assert agenttrace.__all__ == sorted(agenttrace.__all__)
    assert all(getattr(agenttrace, name) is not None for name in agenttrace.__all__)
    assert set(agenttrace.__all__) <= set(dir(agenttrace))
    with pytest.raises(AttributeError, match="no attribute 'tsk'"):
        agenttrace.tsk  # noqa: B018


def test_it_joins_the_provider_it_is_given(home: Path, spooled: Spooled) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    agenttrace.configure(home, tracer_provider=provider)
    with agenttrace.agent("researcher"):
        call()
    agenttrace.shutdown()
    sent = {span.name: span for span in exporter.get_finished_spans()}
    assert set(sent) == {"inference chat", "invoke_agent researcher"}
    assert [f"{span.context.span_id:016x}" for span in sent.values()] == [
        record["span_id"] for record in reversed(spooled())
    ]
    provider.shutdown()


def test_a_sampler_of_somebody_elses_does_not_thin_the_counts(home: Path, spooled: Spooled) -> None:
    agenttrace.configure(home, tracer_provider=TracerProvider(sampler=ALWAYS_OFF))
    with agenttrace.task("t"):
        call()
    agenttrace.shutdown()
    outer, inner = spooled()
    assert inner["parent_span_id"] == outer["span_id"]


def test_configuring_again_without_a_home_stays_where_it_is(
    home: Path, tmp_path: Path, spooled: Spooled
) -> None:
    agenttrace.configure(tmp_path / "elsewhere")
    agenttrace.configure()
    call()
    agenttrace.shutdown()
    assert spooled() == []
    assert list((tmp_path / "elsewhere" / "spool").iterdir())


def test_shutting_down_holds_until_somebody_configures_again(home: Path) -> None:
    agenttrace.configure(home)
    agenttrace.shutdown()
    with agenttrace.task("t"):
        call()
    assert not home.exists()


def test_it_does_not_make_its_own_provider_global(recording: Path) -> None:
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)


def test_a_global_provider_that_is_set_later_is_joined_then(home: Path) -> None:
    program = (
        "import agenttrace\n"
        "agenttrace.configure()\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor\n"
        "provider = TracerProvider()\n"
        "provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))\n"
        "trace.set_tracer_provider(provider)\n"
        "with agenttrace.task('late'): pass\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert '"invoke_workflow late"' in done.stdout


def test_nothing_is_recorded_when_the_sdk_is_disabled(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    agenttrace.configure(home)
    with agenttrace.task("t") as task:
        call()
        assert agenttrace.current() is task
    agenttrace.shutdown()
    assert not home.exists()


def test_a_home_that_cannot_be_made_is_said_and_the_program_goes_on(
    tmp_path: Path, trouble: list[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    agenttrace.configure(blocked)
    agenttrace.configure(blocked / "inside")
    with agenttrace.task("t"):
        call()
    agenttrace.shutdown()
    assert len(trouble) >= 2


class _Collector(BaseHTTPRequestHandler):
    received: list[ExportTraceServiceRequest]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.received.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    received: list[ExportTraceServiceRequest] = []
    handler = type("Handler", (_Collector,), {"received": received})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_same_spans_go_to_an_otlp_endpoint_that_is_set(
    collector: tuple[str, list[ExportTraceServiceRequest]],
    home: Path,
    spooled: Spooled,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint, received = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    agenttrace.configure(home, service_name="desk")
    with agenttrace.task("t"):
        call()
    agenttrace.flush()
    agenttrace.shutdown()
    spans = [
        span
        for request in received
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert {span.span_id.hex() for span in spans} == {r["span_id"] for r in spooled()}
    attributes = received[0].resource_spans[0].resource.attributes
    assert {a.key: a.value.string_value for a in attributes}["service.name"] == "desk"


def names_of(received: list[ExportTraceServiceRequest]) -> list[str]:
    return [
        span.name
        for request in received
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_the_spans_of_a_framework_do_not_go_to_the_otlp_endpoint(
    collector: tuple[str, list[ExportTraceServiceRequest]],
    home: Path,
    spooled: Spooled,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint, received = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    agenttrace.configure(home)
    tracer = tracer_provider().get_tracer("framework")
    with agenttrace.task("t"):
        for agent in ("first", "second"):
            with tracer.start_as_current_span(f"invoke_agent {agent}"):
                call()
    agenttrace.shutdown()
    assert names_of(received) == ["inference chat", "inference chat", "invoke_workflow t"]
    task, first, call_of_first, second, call_of_second = spooled()
    assert [one["name"] for one in (first, second)] == ["first", "second"]
    assert first["parent_span_id"] == second["parent_span_id"] == task["span_id"]
    assert call_of_first["parent_span_id"] == first["span_id"]
    assert call_of_second["parent_span_id"] == second["span_id"]


def test_the_spans_of_a_framework_go_to_the_provider_that_the_program_has_set_since(
    collector: tuple[str, list[ExportTraceServiceRequest]], home: Path, spooled: Spooled
) -> None:
    endpoint, received = collector
    program = (
        "import agenttrace\n"
        "from agenttrace.integration import tracer_provider\n"
        "agenttrace.configure()\n"
        "tracer = tracer_provider().get_tracer('framework')\n"
        "tracer.start_span('invoke_agent early').end()\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor\n"
        "provider = TracerProvider()\n"
        "provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))\n"
        "trace.set_tracer_provider(provider)\n"
        "tracer.start_span('invoke_agent late').end()\n"
        "tracer.start_span('invoke_agent later').end()\n"
    )
    environ = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    assert [name in done.stdout for name in ("early", "late", "later")] == [False, True, True]
    assert [record["name"] for record in spooled()] == ["early", "late", "later"]
    assert names_of(received) == []


# Python 3.12 warns of what this is about.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_what_a_process_of_multiprocessing_did_reaches_the_otlp_endpoint_before_it_is_gone(
    collector: tuple[str, list[ExportTraceServiceRequest]],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint, received = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    agenttrace.configure(home)
    with agenttrace.task("t"):
        child = multiprocessing.get_context("fork").Process(target=call)
        child.start()
        child.join()
    in_child = [
        span.name
        for request in received
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    agenttrace.shutdown()
    assert in_child == ["inference chat"]


def test_the_task_id_travels_in_baggage(recording: Path) -> None:
    with agenttrace.task("t", id="T-1"):
        assert baggage.get_baggage("task.id") == "T-1"
    assert baggage.get_baggage("task.id") is None


def test_a_home_that_vanishes_is_made_again_and_what_was_in_it_is_counted_as_lost(
    recording: Path, spooled: Spooled, trouble: list[str]
) -> None:
    call()
    shutil.rmtree(recording)
    call()
    assert len(spooled()) == 1
    assert "deleted" in trouble[0]
    assert json.loads((recording / "spool" / "lost").read_text())["records"] == 1


def test_threads_and_pools_carry_the_task_of_the_moment(recording: Path, spooled: Spooled) -> None:
    class Worker(threading.Thread):
        def run(self) -> None:
            call()

    with ThreadPoolExecutor(1) as pool:
        for name in ("A", "B"):
            with agenttrace.task("t", id=name):
                pool.submit(call).result()
        pool.submit(call).result()
        with agenttrace.task("t", id="C"):
            thread = Worker()
            thread.start()
            thread.join()
    calls = [r for r in spooled() if r["attributes"]["agenttrace.kind"] == "inference"]
    assert [r["attributes"].get("task.id") for r in calls] == ["A", "B", None, "C"]


def test_a_child_process_joins_the_task_through_the_environment(
    recording: Path, spooled: Spooled
) -> None:
    program = (
        "import agenttrace\n"
        "agenttrace.configure()\n"
        "agenttrace.start('inference', 'chat').stop()\n"
        "with agenttrace.agent('inner'): agenttrace.start('inference', 'chat').stop()\n"
    )
    with agenttrace.task("t", id="T-1"), agenttrace.agent("outer") as outer:
        subprocess.run([sys.executable, "-c", program], env=agenttrace.environ(), check=True)
        outer_id = f"{outer.span_context.span_id:016x}"
    records = spooled()
    assert len({record["trace_id"] for record in records}) == 1
    calls = [r for r in records if r["attributes"]["agenttrace.kind"] == "inference"]
    assert [
        (
            c["attributes"]["task.id"],
            c["attributes"]["gen_ai.agent.name"],
            c["attributes"]["agenttrace.role"],
            c["attributes"]["agenttrace.agent.depth"],
        )
        for c in calls
    ] == [("T-1", "outer", "main", 1), ("T-1", "inner", "subagent", 2)]
    assert calls[0]["parent_span_id"] == outer_id


def test_a_forked_child_records_its_own_calls_and_not_the_parents_frames(
    recording: Path, spooled: Spooled
) -> None:
    with agenttrace.task("t", id="T-1"):
        child = os.fork()
        if not child:
            call()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    records = spooled()
    assert [r["attributes"]["agenttrace.kind"] for r in records] == ["task", "inference"]
    assert records[1]["attributes"]["task.id"] == "T-1"
    assert records[1]["parent_span_id"] == records[0]["span_id"]


def test_spans_of_other_instrumentations_are_kept_without_what_was_said(
    home: Path, spooled: Spooled
) -> None:
    provider = TracerProvider()
    agenttrace.configure(home, tracer_provider=provider)
    tracer = provider.get_tracer("openinference.instrumentation.openai")
    with agenttrace.task("t", id="T-1"), tracer.start_as_current_span("secret name") as span:
        span.set_attribute("openinference.span.kind", "LLM")
        span.set_attribute("llm.token_count.prompt", 12)
        span.set_attribute("input.value", "secret prompt")
        span.set_attribute("llm.input_messages.0.message.content", "secret prompt")
        call()
    tracer.start_span("of no interest").end()
    agenttrace.shutdown()
    _, foreign, inner = spooled()
    assert foreign["scope"] == "openinference.instrumentation.openai"
    assert foreign["attributes"]["llm.token_count.prompt"] == 12
    assert foreign["attributes"]["task.id"] == "T-1"
    assert inner["parent_span_id"] == foreign["span_id"]
    assert "secret" not in str(foreign)
    assert len(spooled()) == 3


def test_instrument_names_what_it_switched_on_and_refuses_what_it_does_not_know() -> None:
    from agenttrace_langchain import LangChainInstrumentor

    assert "langchain" in agenttrace.instrument()
    LangChainInstrumentor().uninstrument()
    with pytest.raises(agenttrace.AgentTraceError, match="No integration is called lanchain"):
        agenttrace.instrument("lanchain")


def test_work_in_a_pool_may_have_arguments_of_any_name(recording: Path) -> None:
    def work(function: int, carried: int) -> int:
        return function + carried

    with agenttrace.task("t"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(work, function=1, carried=2).result() == 3


def test_a_thread_that_refuses_attributes_starts_all_the_same(
    recording: Path, trouble: list[str]
) -> None:
    class Refusing(threading.Thread):
        def __setattr__(self, name: str, value: object) -> None:
            if name == "run":
                raise AttributeError(name)
            super().__setattr__(name, value)

    with agenttrace.task("t"):
        thread = Refusing(target=call)
        thread.start()
        thread.join()
    assert trouble


def test_the_programs_random_numbers_stay_what_its_seed_makes_them(
    recording: Path, spooled: Spooled
) -> None:
    random.seed(7)
    expected = [random.random() for _ in range(3)]
    random.seed(7)
    drawn = []
    for _ in range(3):
        call()
        drawn.append(random.random())
    assert drawn == expected
    random.seed(7)
    call()
    random.seed(7)
    call()
    assert len({record["span_id"] for record in spooled()}) == 5


def test_a_provider_that_is_not_the_sdks_is_not_joined(home: Path, spooled: Spooled) -> None:
    proxy: Any = trace.ProxyTracerProvider()
    agenttrace.configure(home, tracer_provider=proxy)
    call()
    agenttrace.shutdown()
    assert len(spooled()) == 1


def test_a_span_processor_that_raises_loses_no_call(
    home: Path, spooled: Spooled, trouble: list[str]
) -> None:
    class Raising(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            raise RuntimeError

    provider = TracerProvider()
    provider.add_span_processor(Raising())
    agenttrace.configure(home, tracer_provider=provider)
    with agenttrace.task("t"):
        call()
    agenttrace.shutdown()
    assert len(spooled()) == 2
    assert trouble


def test_an_environment_that_makes_no_sense_is_left_aside(
    home: Path, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{'1' * 32}-{'2' * 16}-01")
    monkeypatch.setenv("BAGGAGE", "agenttrace.agent.depth=%C2%B2,gen_ai.agent.name=a")
    agenttrace.configure(home)
    call()
    agenttrace.shutdown()
    assert spooled()[0]["attributes"]["agenttrace.agent.depth"] == 0


def test_a_child_is_told_the_role_and_keeps_the_baggage_that_was_there(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAGGAGE", "user=1")
    with agenttrace.task("t"), agenttrace.role("summary"):
        carried = agenttrace.environ()["BAGGAGE"]
    assert "user=1" in carried
    assert "agenttrace.role=summary" in carried


def test_the_debug_log_says_where_it_happened_and_not_what_was_said(
    caplog: pytest.LogCaptureFixture, trouble: list[str]
) -> None:
    with caplog.at_level("DEBUG", "agenttrace"), recording_trouble.Guard("a test"):
        raise ValueError("the secret prompt")
    assert "test_setup.py" in caplog.text
    assert "secret" not in caplog.text
    assert trouble


def test_a_collector_that_does_not_answer_does_not_keep_the_program_from_ending(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        program = "import agenttrace\nwith agenttrace.task('t'): pass\n"
        environ = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", program], env=environ, check=True)
    assert time.monotonic() - started < 8  # the exporter itself would wait for ten seconds


def test_a_call_of_another_thread_while_the_collector_is_waited_for_is_recorded(
    home: Path, spooled: Spooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post() -> None:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi."}]}
        url = provider.env()["OPENAI_BASE_URL"] + "/chat/completions"
        httpx.post(url, json=body, trust_env=False).raise_for_status()

    def wait(exporting: TracerProvider) -> None:
        thread = threading.Thread(target=post)
        thread.start()
        thread.join()
        exporting.shutdown()

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(setup, "_shut_down", wait)
    with ModelProvider() as provider:
        agenttrace.configure(home)
        setup.finish()
        post()
        agenttrace.shutdown()
        assert len(provider.ledger) == 2
    assert len(spooled()) == 2


def test_an_agent_and_a_tool_of_another_instrumentation_are_frames(
    home: Path, spooled: Spooled
) -> None:
    provider = TracerProvider()
    agenttrace.configure(home, tracer_provider=provider)
    tracer = provider.get_tracer("somebody")
    with (
        tracer.start_as_current_span("invoke_agent researcher"),
        tracer.start_as_current_span("x", attributes={"gen_ai.operation.name": "execute_tool"}),
        tracer.start_as_current_span("GET"),
    ):
        call()
    agenttrace.shutdown()
    agent, tool, http, inner = spooled()
    assert inner["parent_span_id"] == http["span_id"]
    assert inner["attributes"]["gen_ai.agent.name"] == "researcher"
    assert inner["attributes"]["agenttrace.agent.span_id"] == agent["span_id"]
    assert inner["attributes"]["agenttrace.role"] == "tool"
    assert {record["attributes"]["agenttrace.task.name"] for record in (agent, tool, inner)} == {
        "researcher"
    }


def test_frames_of_ours_and_of_others_nest_in_any_order(home: Path, spooled: Spooled) -> None:
    provider = TracerProvider()
    agenttrace.configure(home, tracer_provider=provider)
    tracer = provider.get_tracer("somebody")
    with (
        agenttrace.task("t"),
        tracer.start_as_current_span("invoke_agent outer"),
        agenttrace.tool("delegate"),
        tracer.start_as_current_span("invoke_agent inner"),
    ):
        call()
    agenttrace.shutdown()
    *_, inner = spooled()
    assert inner["attributes"]["gen_ai.agent.name"] == "inner"
    assert inner["attributes"]["agenttrace.agent.depth"] == 2
    assert inner["attributes"]["agenttrace.role"] == "subagent"
    assert inner["attributes"]["agenttrace.task.name"] == "t"


def test_a_framework_that_makes_spans_gets_a_provider_that_only_we_see(
    recording: Path, spooled: Spooled
) -> None:
    from agenttrace.integration import tracer_provider

    with agenttrace.task("t"):
        provider = tracer_provider()
        assert tracer_provider() is provider
        assert trace.get_tracer_provider() is not provider
        with provider.get_tracer("framework").start_as_current_span("invoke_agent a"):
            call()
    *_, inner = spooled()
    assert inner["attributes"]["gen_ai.agent.name"] == "a"
    assert inner["attributes"]["agenttrace.task.name"] == "t"


def test_a_provider_that_wraps_one_of_the_sdk_is_joined_too(home: Path, spooled: Spooled) -> None:
    class Wrapping(trace.TracerProvider):
        def __init__(self) -> None:
            self.wrapped = TracerProvider()

        def add_span_processor(self, processor: SpanProcessor) -> None:
            self.wrapped.add_span_processor(processor)

        def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
            return self.wrapped.get_tracer(*args, **kwargs)

    provider = Wrapping()
    agenttrace.configure(home, tracer_provider=provider)
    with provider.get_tracer("somebody").start_as_current_span("invoke_agent a"):
        call()
    agenttrace.shutdown()
    assert spooled()[1]["attributes"]["gen_ai.agent.name"] == "a"
