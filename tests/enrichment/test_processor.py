"""The span processor changes nothing but what it adds, and only for the one behind it."""

from unittest import mock

from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from agenttrace.enrichment import names, processor
from agenttrace.enrichment.processor import EnergySpanProcessor

_CHAT: dict[str, str | int] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
}


class _Run:
    """A provider with two exporters: one behind the processor, one of somebody else."""

    def __init__(self) -> None:
        self.enriched, self.plain = InMemorySpanExporter(), InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, span_limits=SpanLimits(max_events=1))
        self.provider.add_span_processor(EnergySpanProcessor(SimpleSpanProcessor(self.enriched)))
        self.provider.add_span_processor(SimpleSpanProcessor(self.plain))
        self.tracer = self.provider.get_tracer("test")


def _energies(spans: tuple[ReadableSpan, ...]) -> dict[str, bool]:
    return {span.name: names.ENERGY_CENTRAL_WH in (span.attributes or {}) for span in spans}


def test_a_call_gets_its_energy_and_keeps_all_else():
    run = _Run()
    with run.tracer.start_as_current_span("chat gpt-5", attributes=_CHAT) as span:
        span.add_event("dropped")
        span.add_event("kept", {"a": 1})
        span.set_status(Status(StatusCode.ERROR, "no"))
    [told], [own] = run.enriched.get_finished_spans(), run.plain.get_finished_spans()
    added = set(told.attributes or {}) - set(own.attributes or {})
    assert added == names.OURS
    for name in ("name", "context", "parent", "kind", "start_time", "end_time", "resource"):
        assert getattr(told, name) == getattr(own, name)
    assert [event.name for event in told.events] == ["kept"]
    assert (told.dropped_events, told.dropped_links, told.dropped_attributes) == (1, 0, 0)
    assert told.status.description == "no"
    assert told.instrumentation_scope == own.instrumentation_scope


def test_the_span_of_others_is_not_changed():
    run = _Run()
    run.tracer.start_span("chat", attributes=_CHAT).end()
    [own] = run.plain.get_finished_spans()
    assert dict(own.attributes or {}) == _CHAT


def test_of_nested_calls_the_innermost_gets_it_whatever_is_between():
    run = _Run()
    with (
        run.tracer.start_as_current_span("callback", attributes=_CHAT),
        run.tracer.start_as_current_span("chain"),
        run.tracer.start_as_current_span("sdk", attributes=_CHAT),
        run.tracer.start_as_current_span("POST"),
    ):
        pass
    assert _energies(run.enriched.get_finished_spans()) == {
        "POST": False,
        "sdk": True,
        "chain": False,
        "callback": False,
    }


def test_calls_beside_one_another_get_it_each():
    run = _Run()
    with run.tracer.start_as_current_span("agent"):
        run.tracer.start_span("first", attributes=_CHAT).end()
        run.tracer.start_span("second", attributes=_CHAT).end()
    found = _energies(run.enriched.get_finished_spans())
    assert found == {"first": True, "second": True, "agent": False}


def test_what_is_remembered_of_open_spans_is_bounded():
    run = _Run()
    with mock.patch.object(processor, "_OPEN_KEPT", 2):
        for _ in range(5):
            parent = run.tracer.start_span("never ends")
            with processor_context(parent):
                run.tracer.start_span("chat", attributes=_CHAT).end()
    held = run.provider._active_span_processor._span_processors[0]  # pyright: ignore[reportPrivateUsage]
    assert len(held._around) == 2  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]


def processor_context(span: object):
    from opentelemetry import trace

    return trace.use_span(span)  # pyright: ignore[reportArgumentType]


def test_a_failure_is_said_by_its_type_and_the_span_goes_on(trouble: list[str]):
    run = _Run()
    with mock.patch.object(processor, "of_span", side_effect=KeyError("a secret")):
        run.tracer.start_span("chat", attributes=_CHAT).end()
    assert len(run.enriched.get_finished_spans()) == 1
    [said] = trouble
    assert "adding energy to a span" in said
    assert "secret" not in said


def test_flushing_and_shutting_down_reach_the_next_one():
    behind = mock.create_autospec(SpanProcessor, instance=True)
    behind.force_flush.return_value = True
    before = EnergySpanProcessor(behind)
    assert before.force_flush(5)
    before.shutdown()
    behind.force_flush.assert_called_once_with(5)
    behind.shutdown.assert_called_once_with()
