"""What arrives is a message of OTLP, or is refused by name."""

import contextlib
import json
import string
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson, Parse
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue

from agenttrace.sources.otlp import JSON, MalformedError, decode
from tests.sources.otlp.messages import span, traces, value

TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = "eee19b7ec3c1b174"


def _json(**said: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [said]}]}]}).encode()


def _span(body: bytes) -> Any:
    request = decode("traces", body, JSON)
    assert isinstance(request, ExportTraceServiceRequest)
    return request.resource_spans[0].scope_spans[0].spans[0]


def test_protobuf_is_decoded() -> None:
    request = traces(span({"a": 1}))

    assert decode("traces", request.SerializeToString()) == request


def test_ids_in_json_are_hexadecimal_and_not_base64() -> None:
    found = _span(_json(traceId=TRACE, spanId=SPAN, parentSpanId=SPAN.upper()))

    assert (found.trace_id.hex(), found.span_id.hex()) == (TRACE, SPAN)
    assert found.parent_span_id.hex() == SPAN


def test_64_bit_integers_in_json_are_text() -> None:
    found = _span(
        _json(
            startTimeUnixNano="1760000000000000000",
            attributes=[{"key": "n", "value": {"intValue": "7"}}],
        )
    )

    assert found.start_time_unix_nano == 1_760_000_000_000_000_000
    assert found.attributes[0].value.int_value == 7


def test_fields_that_nobody_knows_are_left_out() -> None:
    found = _span(_json(spanId=SPAN, comesLater={"spanId": [1]}, attributes=[{"new": 1}]))

    assert found.span_id.hex() == SPAN


def test_an_attribute_named_like_an_id_is_no_id() -> None:
    said = [{"key": "traceId", "value": {"stringValue": "not hexadecimal"}}]

    assert _span(_json(attributes=said)).attributes[0].value.string_value == "not hexadecimal"


@pytest.mark.parametrize("digits", ["", "zz", TRACE[:-1], TRACE + "0", "é" * 32])
def test_an_id_that_is_none_is_missing(digits: str) -> None:
    assert _span(_json(traceId=digits)).trace_id == b""


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 500_000, "nested too deeply"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "JSON that is no message of OTLP"),
        (b"null", "JSON that is no message of OTLP"),
        (b'{"resourceSpans": 3}', "JSON that is no message of OTLP"),
        (_json(startTimeUnixNano="9" * 30), "JSON that is no message of OTLP"),
        (_json(name="\ud800"), "JSON that is no message of OTLP"),
    ],
)
def test_json_that_is_no_message_is_refused_by_name(body: bytes, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        decode("traces", body, JSON)


def test_attributes_nested_beyond_reason_are_refused() -> None:
    inside: dict[str, Any] = {"stringValue": "x"}
    for _ in range(150):
        inside = {"arrayValue": {"values": [inside]}}

    with pytest.raises(MalformedError, match="nested too deeply"):
        decode("traces", _json(attributes=[{"key": "a", "value": inside}]), JSON)


def test_protobuf_that_is_none_is_refused() -> None:
    with pytest.raises(MalformedError, match="not a protobuf message"):
        decode("logs", b"\xff\xff\xff")


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agenttrace.sources.otlp.decoding.SIZE_AT_MOST", 10)

    with pytest.raises(MalformedError, match="larger than"):
        decode("traces", b"x" * 11)


def test_an_error_never_cites_what_was_sent() -> None:
    with pytest.raises(MalformedError) as caught:
        decode("traces", _json(startTimeUnixNano="my secret prompt"), JSON)

    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceSpans", "scopeSpans", "spans", "traceId", "attributes", "x"]),
            inside,
            max_size=3,
        )
    ),
    max_leaves=20,
)


@given(_VALUES)
def test_any_json_is_decoded_or_refused(said: object) -> None:
    with contextlib.suppress(MalformedError):
        decode("traces", json.dumps(said).encode(), JSON)


_TEXT = st.text(string.printable, max_size=5)
_ANY = st.recursive(
    st.builds(value, st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | _TEXT),
    lambda inside: st.lists(inside, max_size=3).map(
        lambda values: AnyValue(array_value=ArrayValue(values=values))
    ),
    max_leaves=4,
)


@given(_TEXT, st.integers(0, 2**64 - 1), _ANY, st.integers(0, 5), st.binary(max_size=9))
def test_json_is_read_as_the_protobuf_package_reads_it(
    name: str, start_ns: int, said: AnyValue, kind: int, raw: bytes
) -> None:
    one = span({}, name=name)
    one.start_time_unix_nano, one.kind = start_ns, kind  # pyright: ignore[reportAttributeAccessIssue]
    one.attributes.add(key="a", value=said)
    one.attributes.add(key="b", value=AnyValue(bytes_value=raw))
    one.ClearField("trace_id")  # its ids are base64
    one.ClearField("span_id")
    request = traces(one, broken=True)

    text = MessageToJson(request)

    assert decode("traces", text.encode(), JSON).SerializeToString() == (
        Parse(text, ExportTraceServiceRequest()).SerializeToString()
    )
