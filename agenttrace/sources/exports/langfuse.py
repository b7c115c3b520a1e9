"""Observations that Langfuse has exported: JSON, JSON lines or CSV, from its pages or to a bucket.

Its interface spells ``traceId``, its exports ``trace_id``. The kinds of tokens in ``usageDetails``
are apart from one another where whoever sent them kept to its rules; a total tells where not.

Source: <https://langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields>,
<https://langfuse.com/docs/observability/features/token-and-cost-tracking>
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agenttrace import semconv
from agenttrace.sources.exports.files import Export, mapping, moment_ns, records
from agenttrace.sources.exports.spans import NoSpanError, attributes_of, hexadecimal, line
from agenttrace.sources.source import Piece, Skipped
from agenttrace.sources.usage import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agenttrace.record.readable import AttributeValue

_KINDS: Final = {
    "GENERATION": ("inference", semconv.CHAT),
    "EMBEDDING": ("inference", semconv.EMBEDDINGS),
    "AGENT": ("agent", semconv.INVOKE_AGENT),
    "TOOL": ("tool", semconv.EXECUTE_TOOL),
    "SPAN": ("step", None),
    "CHAIN": ("step", None),
    "RETRIEVER": ("step", "retrieval"),
    "EVALUATOR": ("step", None),
    "GUARDRAIL": ("step", None),
}
"""Type of an observation -> its kind, and its operation; an event says nothing that counts."""

_READ: Final = (
    "cache_read_input_tokens",
    "input_cached_tokens",
    "input_cache_read",
    "cached_tokens",
)
_WRITTEN: Final = ("cache_creation_input_tokens", "input_cache_creation", "input_cache_write")
_THOUGHT: Final = ("output_reasoning_tokens", "output_reasoning", "reasoning_tokens")
_GIVEN: Final = ("input", "input_tokens", "prompt_tokens", "promptTokens")
_MADE: Final = ("output", "output_tokens", "completion_tokens", "completionTokens")
_TOTAL: Final = ("total", "total_tokens", "totalTokens")


class _Langfuse(Export):
    """Observations that Langfuse has exported."""

    def read(self, piece: Piece) -> Iterator[bytes | Skipped]:
        """Yield the observations, as lines of the spool."""
        for record in records(piece):
            if isinstance(record, Skipped):
                yield record
                continue
            try:
                yield _line(record)
            except NoSpanError as error:
                yield Skipped(str(error))


SOURCE: Final = _Langfuse("langfuse", (".json", ".jsonl", ".ndjson", ".csv"))


def _line(record: dict[str, Any]) -> bytes:
    said = str(record.get("type", "")).upper()
    if said not in _KINDS:
        is_known = said == "EVENT"
        raise NoSpanError(
            "observations of type EVENT" if is_known else "no observation of Langfuse"
        )
    kind, operation = _KINDS[said]
    return line(
        SOURCE.name,
        hexadecimal(_of(record, "traceId", "trace_id"), 16),
        hexadecimal(record.get("id"), 8),
        hexadecimal(_of(record, "parentObservationId", "parent_observation_id"), 8),
        moment_ns(_of(record, "startTime", "start_time")),
        moment_ns(_of(record, "endTime", "end_time")),
        is_failed=record.get("level") == "ERROR",
        attributes={semconv.KIND: kind, **_attributes(record, kind, operation)},
    )


def _attributes(
    record: dict[str, Any], kind: str, operation: str | None
) -> dict[str, AttributeValue]:
    names = {
        semconv.OPERATION_NAME: operation,
        semconv.CONVERSATION_ID: _of(record, "sessionId", "session_id"),
    }
    if kind == "inference":
        names[semconv.RESPONSE_MODEL] = _of(
            record, "model", "providedModelName", "provided_model_name"
        )
        names.update(_usage(mapping(_of(record, "usageDetails", "usage_details", "usage"))))
        names[semconv.TIME_TO_FIRST_CHUNK] = _first_s(record)
    found = attributes_of({key: one for key, one in names.items() if one not in (None, "")})
    cost = _cost(record) if kind == "inference" else None
    return found if cost is None else {**found, semconv.COST_USD: cost}


def _usage(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts, the cache in the input and the reasoning in the output."""
    given, made = _count(said, _GIVEN), _count(said, _MADE)
    read, written = _count(said, _READ), _count(said, _WRITTEN)
    thought, total = _count(said, _THOUGHT), _count(said, _TOTAL)
    is_inside = total is not None and total == (given or 0) + (made or 0)
    if not is_inside:
        given = None if given is None else given + (read or 0) + (written or 0)
        made = None if made is None else made + (thought or 0)
    return {
        semconv.INPUT_TOKENS: given,
        semconv.OUTPUT_TOKENS: made,
        semconv.CACHE_READ_TOKENS: read,
        semconv.CACHE_WRITE_TOKENS: written,
        semconv.REASONING_TOKENS: thought,
    }


def _count(said: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    for key in keys:
        one = said.get(key)
        if one is not None:
            return count(int(one) if isinstance(one, str) and one.isdigit() else one)
    return None


def _cost(record: dict[str, Any]) -> float | None:
    """Return US dollars, as Langfuse reckons or was told."""
    details = mapping(_of(record, "costDetails", "cost_details"))
    for said in (details.get("total"), _of(record, "totalCost", "total_cost")):
        try:
            cost = float(said) if isinstance(said, str | int | float) else None
        except ValueError:
            continue
        if cost is not None and cost >= 0:
            return cost
    return None


def _first_s(record: dict[str, Any]) -> float | None:
    first = moment_ns(_of(record, "completionStartTime", "completion_start_time"))
    start = moment_ns(_of(record, "startTime", "start_time"))
    return None if first is None or start is None else (first - start) / 1e9


def _of(record: dict[str, Any], *keys: str) -> Any:
    """Return the first of *keys* that says something."""
    return next((record[key] for key in keys if record.get(key) not in (None, "")), None)
