"""Attributes of OTLP as plain values: those that may be kept, and no others."""

from collections.abc import Callable, Collection, Iterable
from operator import attrgetter
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from agenttrace import semconv
from agenttrace.record import readable
from agenttrace.record.readable import AttributeValue
from agenttrace.store.spellings import KINDS, OPERATIONS, SPELLINGS

Attributes = dict[str, AttributeValue]

RESOURCE: Final = frozenset(
    {semconv.SERVICE_NAME, semconv.HOST_NAME, semconv.PROCESS_PID, semconv.CLOUD_REGION}
)
"""What is kept of what sends: who and where it is."""

OURS: Final = readable.OURS.union(*SPELLINGS.values(), KINDS, OPERATIONS)
"""What is kept of our own spans, which another process exported."""

_LONGEST: Final = 1_000  # characters; no name or id is as long, and a prompt may be
_COUNTS: Final = (
    "gen_ai.usage.",
    "llm.token_count.",
    "llm.usage.",
    "anthropic.usage.",
    "ai.usage.",
)
_NUMBERS: Final[dict[str, Callable[[AnyValue], AttributeValue]]] = {
    kind: attrgetter(kind) for kind in ("int_value", "double_value", "bool_value")
}


def plain(pairs: Iterable[KeyValue], kept: Collection[str]) -> Attributes:
    """Return the attributes in *kept*, and counts; no lists, no mappings and no long texts."""
    found: Attributes = {}
    for pair in pairs:
        key = pair.key
        if key in kept:
            value = pair.value
            kind = value.WhichOneof("value")
            if kind == "string_value":
                text = value.string_value
                if len(text) <= _LONGEST:
                    found[key] = text
                continue
        elif key.startswith(_COUNTS):
            value = pair.value
            kind = value.WhichOneof("value")
        else:
            continue
        if kind is not None and (read := _NUMBERS.get(kind)) is not None:
            found[key] = read(value)
    return found
