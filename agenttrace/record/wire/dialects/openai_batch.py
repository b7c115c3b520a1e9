"""Results of OpenAI's batch protocol, which many others speak too: a file with an answer a line.

The batch was made before, by this program or another one, so fetching its results is no call: it
tells of the calls that the batch was made of.

Source: <https://platform.openai.com/docs/guides/batch>
"""

from typing import Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire.dialect import (
    Counts,
    Dialect,
    Envelope,
    Reply,
    Route,
    decoded,
    reply_of,
)
from agenttrace.record.wire.dialects.openai import usage_of


class _Answer(msgspec.Struct):
    body: Envelope | None = None


class _Line(msgspec.Struct):
    id: Any = None
    custom_id: Any = None
    response: _Answer | None = None


_line = msgspec.json.Decoder(_Line)


class Results(Dialect):
    """``GET …/files/{id}/content``. A file that holds anything else says nothing."""

    operation: ClassVar = semconv.FETCH_RESPONSE
    streams: ClassVar = (
        "application/octet-stream",
        "application/binary",
        "application/jsonl",
        "application/x-jsonl",
        "application/x-ndjson",
        "text/plain",
    )

    def read_json(self, body: bytes) -> Reply:
        """Read a file that is sent with another content type."""
        return self.read_events(body)

    def read_events(self, data: bytes) -> Reply:
        """Read the lines that are answers."""
        if b'"custom_id"' not in data:
            return Reply(finished=True)
        lines = (decoded(_line, line) for line in data.splitlines() if b'"usage"' in line)
        found = (_answer(line) for line in lines if line is not None)
        return Reply(finished=True, also=tuple(reply for reply in found if reply is not None))

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts of a line, of whatever protocol it is, into inclusive ones."""
        return usage_of(counts)


def _answer(line: _Line) -> Reply | None:
    """Return what a line says.

    An embedding has no id of its own, so it is known by that of its line.
    """
    if not isinstance(line.custom_id, str) or line.response is None or line.response.body is None:
        return None
    reply = reply_of(line.response.body, finished=True)
    if not reply.counts:
        return None
    line_id = line.id if isinstance(line.id, str) else None
    return Reply(response_id=line_id).then(reply)


ROUTES: Final = (Route("GET", "/files/[^/]+/content", Results()),)
