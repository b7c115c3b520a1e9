"""What GitHub Copilot sends, from the terminal and from editors.

It speaks the conventions, and tells of one response up to four times: by the span of the call, an
event of it, an event of the turn, and the span of the agent. The span of the call counts; the event
of it where it has the same id of the response, or is in no trace, is the same call; the other two
are sums.

Source: <https://code.visualstudio.com/docs/copilot/guides/monitoring-agents>
"""

from collections.abc import Iterator
from typing import Final

from agenttrace import semconv
from agenttrace.record import readable
from agenttrace.sources.otlp import generic
from agenttrace.sources.otlp.attributes import Attributes
from agenttrace.sources.otlp.saying import text
from agenttrace.sources.otlp.seen import SeenEvent, SeenSpan

SOURCE: Final = "copilot"
KEYS: Final = readable.THEIRS | {
    "copilot_chat.chat_session_id",
    "copilot_chat.session_id",
    "event.name",
}
_SESSIONS: Final = (
    semconv.CONVERSATION_ID,
    "copilot_chat.session_id",
    "copilot_chat.chat_session_id",
    "session.id",
)


def span(seen: SeenSpan) -> Iterator[bytes]:
    """Yield the span; its session is the one that people see."""
    seen.attributes = _said(seen.attributes)
    yield generic.of_span(seen)


def event(seen: SeenEvent) -> Iterator[bytes]:
    """Yield the event of a call that can be told from its span; that of a turn is a sum."""
    if seen.name != generic.OPERATION_DETAILS:
        return
    seen.attributes = _said(seen.attributes)
    if text(seen.attributes, semconv.RESPONSE_ID) is None:
        return
    line = generic.of_event(seen)
    if line is not None:
        yield line


def _said(attributes: Attributes) -> Attributes:
    session = text(attributes, *_SESSIONS)
    kept = {key: value for key, value in attributes.items() if key not in _SESSIONS}
    return kept if session is None else {**kept, semconv.CONVERSATION_ID: session}
