"""Anthropic's messages protocol.

Its ``input_tokens`` excludes what the cache held and what was written to it; the counts of a stream
are cumulative. A message may tell of calls that the provider made on its own: to sum up a long
conversation, or to ask a stronger model for advice. Their tokens are not in its own.

Source: <https://platform.claude.com/docs/en/api/messages>, …/build-with-claude/compaction,
…/agents-and-tools/tool-use/advisor-tool, …/build-with-claude/batch-processing,
…/manage-claude/data-residency
"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import Role, TokenUsage
from agenttrace.record.wire import dialect, events
from agenttrace.record.wire.dialect import (
    Counts,
    Dialect,
    Envelope,
    Reply,
    Route,
    all_decoded,
    counted,
    decoded,
    details,
    items,
    joined,
    mapping,
    reply_of,
    shaped,
    token_count,
)


class _Event(msgspec.Struct):
    message: Envelope | None = None
    usage: Any = None


class _Delta(msgspec.Struct):
    delta: Any = None


class _Result(msgspec.Struct):
    message: Envelope | None = None


class _Line(msgspec.Struct):
    result: _Result | None = None


_message = msgspec.json.Decoder(Envelope)
_event = msgspec.json.Decoder(_Event)
_delta = msgspec.json.Decoder(_Delta)
_line = msgspec.json.Decoder(_Line)


class Messages(Dialect):
    """``POST …/messages``."""

    provider: ClassVar = "anthropic"
    interim_counts: ClassVar = True
    shapes: ClassVar = shaped(dialect.Messages)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_message.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read ``message_start`` and the counts of the ``message_delta`` events, in order."""
        found = Reply()
        for payload in reversed(list(events.latest_object(data, b'"usage"'))):
            event = decoded(_event, payload)
            if event is None:
                continue
            if event.message is not None:
                found = found.then(_reply(event.message))
            elif mapping(event.usage):
                # The counts of message_delta are final; it is the last event but one.
                found = found.then(_reply(Envelope(usage=event.usage), finished=True))
        return found if found.finished else found.then(Reply(error=events.failure(data)))

    def beside(self, reply: Reply) -> tuple[Reply, ...]:
        """Return the calls that the provider made on its own, once their ending is known."""
        return _beside(reply) if reply.finished else ()

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        uncached = token_count(counts.get("input_tokens"))
        read = token_count(counts.get("cache_read_input_tokens"))
        written = token_count(counts.get("cache_creation_input_tokens"))
        (hour,) = details(counts, "cache_creation", "ephemeral_1h_input_tokens")
        (reasoning,) = details(counts, "output_tokens_details", "thinking_tokens")
        return counted(
            None if uncached is None else uncached + (read or 0) + (written or 0),
            token_count(counts.get("output_tokens")),
            cache_read=read,
            cache_write=written,
            cache_write_1h=hour,
            reasoning=reasoning,
        )

    def text(self, data: bytes) -> str:
        """Return the deltas: text, thinking and tool arguments."""
        return joined(
            mapping(event.delta).get(name)
            for event in all_decoded(_delta, events.payloads(data))
            for name in ("text", "thinking", "partial_json")
        )


class Results(Messages):
    """``GET …/messages/batches/{id}/results``: an answer a line, in no order.

    The batch was made before, so this is no call: it tells of those that the batch was made of.
    """

    operation: ClassVar = semconv.FETCH_RESPONSE
    interim_counts: ClassVar = False
    shapes: ClassVar = ()
    streams: ClassVar = ("application/x-jsonl", "application/jsonl", "application/binary")

    def read_json(self, body: bytes) -> Reply:
        """Read results that are sent with another content type."""
        return self.read_events(body)

    def read_events(self, data: bytes) -> Reply:
        """Read the lines that are answers; one that failed or expired has no usage."""
        found: list[Reply] = []
        for line in data.splitlines():
            read = decoded(_line, line) if b'"usage"' in line else None
            if read is None or read.result is None or read.result.message is None:
                continue
            reply = _reply(read.result.message, finished=True)
            found += [reply, *_beside(reply)]
        return Reply(finished=True, also=tuple(found))

    def beside(self, reply: Reply) -> tuple[Reply, ...]:
        """Return what the lines told."""
        return reply.also


def _reply(envelope: Envelope | None, *, finished: bool = False) -> Reply:
    reply = reply_of(envelope, finished=finished)
    geo = _geo(reply.counts)
    return reply.then(Reply(said=geo)) if geo else reply


_GEO: Final = re.compile(r"[a-z][a-z0-9-]{1,30}")


def _geo(counts: Counts) -> dict[str, str]:
    """Return where the model ran, as a region: ``us``, or ``global`` for anywhere.

    The clouds that serve the same protocol say it in their hosts, and ``not_available`` here.
    """
    geo = counts.get("inference_geo")
    return {semconv.CLOUD_REGION: geo} if isinstance(geo, str) and _GEO.fullmatch(geo) else {}


# How the provider calls what it asked on its own.
_ROLE_OF: Final[dict[str, Role]] = {"compaction": "compaction", "advisor_message": "other"}


def _beside(reply: Reply) -> tuple[Reply, ...]:
    """Return the calls that the provider made on its own, which ``usage.iterations`` tells of.

    They are known by the id of the message and their place in it.
    """
    iterations = [mapping(entry) for entry in items(reply.counts.get("iterations"))]
    told = _total([reply.counts])
    if not iterations or told == _total(iterations):
        return ()  # The counts of the message are the sum of all.
    served = [entry for entry in iterations if entry.get("type") == "fallback_message"]
    # Where another model took over, the counts may be those of that one alone.
    kinds = {*_ROLE_OF, "message"} if served and told == _total(served) else {*_ROLE_OF}
    return tuple(
        reply_of(
            Envelope(
                id=f"{reply.response_id}:{place}" if reply.response_id else None,
                model=entry.get("model") or reply.model,
                usage=entry,
            ),
            finished=True,
        ).then(Reply(role=_ROLE_OF.get(str(entry["type"]), "other"), said=_geo(reply.counts)))
        for place, entry in enumerate(iterations)
        if str(entry.get("type")) in kinds
    )


def _total(counts: Sequence[Counts]) -> int:
    names = (
        "input_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "output_tokens",
    )
    return sum(token_count(one.get(name)) or 0 for one in counts for name in names)


ROUTES: Final = (
    Route("POST", "/messages", Messages()),
    Route("GET", "/messages/batches/[^/]+/results", Results()),
)
