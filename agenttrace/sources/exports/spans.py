"""Make records of the spans in an export, with the attributes that may be kept and no others."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, cast

from agenttrace.record import readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agenttrace.record.readable import AttributeValue

_LONGEST: Final = 1_000  # characters; no name or id is as long, and a prompt may be
_DEPTH_AT_MOST: Final = 8
_COUNTS: Final = ("gen_ai.usage.", "llm.token_count.", "llm.usage.")


class NoSpanError(ValueError):
    """A record of an export is no span; the message says why, and nothing of what is in it."""


def line(  # noqa: PLR0917 - what a span is does not come in one piece
    source: str,
    trace_id: str | None,
    span_id: str | None,
    parent_span_id: str | None,
    start_ns: int | None,
    end_ns: int | None,
    *,
    is_failed: bool,
    attributes: dict[str, AttributeValue],
) -> bytes:
    """Return a span as a line of the spool.

    Raises:
        NoSpanError: It has no place: an id or the start is missing.
    """
    # The messages of protobuf, which come with it, take time to load.
    from agenttrace.sources.otlp import generic
    from agenttrace.sources.otlp.seen import Origin, SeenSpan

    if trace_id is None:
        raise NoSpanError("no trace id")
    if span_id is None:
        raise NoSpanError("no span id")
    if start_ns is None:
        raise NoSpanError("no start")
    return generic.of_span(
        SeenSpan(
            Origin({"service.name": source}, source, source, ""),
            "",
            trace_id,
            span_id,
            parent_span_id,
            start_ns,
            end_ns,
            is_failed,
            None,
            attributes,
        )
    )


def attributes_of(said: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """Return those attributes of *said* that may be kept, in a dotted spelling or nested."""
    flat: dict[str, object] = {}
    _flatten(said, "", flat, 0)
    return {
        key: one
        for key, one in readable.of(flat, readable.THEIRS).items()
        if not isinstance(one, str) or len(one) <= _LONGEST
    }


def hexadecimal(said: object, size: int) -> str | None:
    """Return an id of *size* bytes in hex digits; one of another make is hashed; None for none."""
    if not isinstance(said, str) or not said:
        return None
    plain = said.lower().removeprefix("0x").replace("-", "")
    try:
        found = bytes.fromhex(plain)
    except ValueError:
        found = b""
    if len(found) == size and any(found):
        return plain
    return (
        None
        if found and not any(found)
        else blake2b(said.encode("utf-8", "replace"), digest_size=size).hexdigest()
    )


def _flatten(said: Mapping[str, Any], prefix: str, flat: dict[str, object], depth: int) -> None:
    for key, one in said.items():
        name = f"{prefix}{key}"
        if isinstance(one, dict) and depth < _DEPTH_AT_MOST:
            _flatten(cast("dict[str, Any]", one), f"{name}.", flat, depth + 1)
        elif isinstance(one, str | float) and name.startswith(_COUNTS):
            flat[name] = _count(one)
        else:
            flat[name] = one


def _count(said: str | float) -> int | None:
    """Return a whole number of a column of text, or of one that has gaps and so holds fractions."""
    try:
        number = float(said)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None
