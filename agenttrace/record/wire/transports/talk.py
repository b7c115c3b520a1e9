"""What the adapters of websocket clients have in common: one conversation, which never raises."""

from agenttrace.record import trouble
from agenttrace.record.wire import conversation
from agenttrace.record.wire.conversation import Conversation


class Talk:
    """A conversation for as long as its connection is held; it ends at the latest with that."""

    __slots__ = ("__weakref__", "_conversation")

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def sent(self, message: str | bytes) -> None:
        """Take a message that the program sends."""
        with trouble.Guard("a conversation"):
            self._conversation.sent(message)

    def received(self, message: str | bytes) -> None:
        """Take a message that has come."""
        with trouble.Guard("a conversation"):
            self._conversation.received(message)

    def end(self, error: BaseException | None = None, *, left: bool = False) -> None:  # noqa: ARG002
        """End it; what is under way in it is recorded as it stands."""
        with trouble.Guard("a conversation"):
            self._conversation.close(error)

    def __del__(self) -> None:
        self.end(left=True)


def begun(host: str, path: str, query: str) -> Talk | None:
    """Begin to follow a connection, if a model is talked to over it."""
    with trouble.Guard("a conversation"):
        opened = conversation.open(host, path, query)
        return None if opened is None else Talk(opened)
    return None
