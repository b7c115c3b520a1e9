import gzip

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from agenttrace.enrichment import Estimator
from agenttrace.model import TokenUsage
from agenttrace.server.enriching import Enriching
from agenttrace.server.keeping import Message
from tests.server.sending import JSON, PROTOBUF, call, json_of, message

CENTRAL = "agenttrace.energy.central_wh"


@pytest.fixture(scope="module")
def estimator(tmp_path_factory: pytest.TempPathFactory) -> Estimator:
    return Estimator(home=tmp_path_factory.mktemp("home"))


@pytest.fixture
def enriching(estimator: Estimator) -> Enriching:
    return Enriching(estimator)


def added(sent: Message) -> list[dict[str, float]]:
    """Of each span or record, the energies that it has."""
    if sent.signal == "traces":
        request = ExportTraceServiceRequest.FromString(sent.body)
        things = [one for group in request.resource_spans for one in group.scope_spans[0].spans]
    else:
        request = ExportLogsServiceRequest.FromString(sent.body)
        things = [one for group in request.resource_logs for one in group.scope_logs[0].log_records]
    return [
        {one.key: one.value.double_value for one in thing.attributes if one.key == CENTRAL}
        for thing in things
    ]


def traces(body: bytes, content_type: str = PROTOBUF, encoding: str = "") -> Message:
    return Message("traces", content_type, encoding, body)


def test_a_call_gets_the_estimate_that_reports_have(
    enriching: Enriching, estimator: Estimator
) -> None:
    expected = estimator.attributes(TokenUsage(100, 20), model="gpt-5", provider="openai")[CENTRAL]
    assert added(enriching(traces(message(call())))) == [{CENTRAL: pytest.approx(expected)}]


def test_only_the_innermost_of_calls_inside_one_another_gets_one(enriching: Enriching) -> None:
    outer, inner, beside = call(1), call(2), call(3)
    inner.trace_id = beside.trace_id = outer.trace_id
    inner.parent_span_id = outer.span_id
    first, second, third = added(enriching(traces(message(outer, inner, beside))))
    assert not first
    assert second.keys() == third.keys() == {CENTRAL}


def test_ids_that_go_round_in_a_circle_end(enriching: Enriching) -> None:
    one, other = call(1), call(2)
    one.parent_span_id, other.parent_span_id = other.span_id, one.span_id
    body = message(one, other)
    assert enriching(traces(body)).body == body


def test_json_and_packed_bodies_become_plain_protobuf(enriching: Enriching) -> None:
    ids = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    for sent in (
        traces(json_of(ids), JSON),
        traces(gzip.compress(message(call())), encoding="gzip"),
    ):
        changed = enriching(sent)
        assert (changed.content_type, changed.encoding) == (PROTOBUF, "")
        assert added(changed)[0].keys() == {CENTRAL}


def test_an_event_of_a_call_gets_an_estimate(enriching: Enriching) -> None:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.add(key="service.name", value=AnyValue(string_value="claude-code"))
    scope = group.scope_logs.add()
    scope.scope.name = "com.anthropic.claude_code.events"
    record = scope.log_records.add(time_unix_nano=1_760_000_000_000_000_000)
    record.body.string_value = "claude_code.api_request"
    for key, value in {
        "event.name": "api_request",
        "session.id": "s",
        "model": "claude-sonnet-4-5",
        "input_tokens": "100",
        "output_tokens": "20",
        "request_id": "req_1",
    }.items():
        record.attributes.add(key=key, value=AnyValue(string_value=value))
    (energies,) = added(enriching(Message("logs", PROTOBUF, "", request.SerializeToString())))
    assert energies.keys() == {CENTRAL}


def test_what_is_no_call_or_no_message_goes_on_as_it_is(enriching: Enriching) -> None:
    tool = call()
    del tool.attributes[:]
    for sent in (
        traces(message(tool)),
        traces(b"\xff"),
        traces(b"[", JSON),
        traces(b"none", encoding="gzip"),
        Message("metrics", PROTOBUF, "", b""),
    ):
        assert enriching(sent) is sent
