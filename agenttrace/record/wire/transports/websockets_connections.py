"""The meter's hook at websockets: the clients for threads, for asyncio and for trio.

All of them speak through one protocol object that does no input or output of its own. It is seen
there: every message that is sent, however it is cut, and every message that comes, whether the
program reads it or not.
"""

import contextlib
import functools
from collections.abc import Callable, Generator, Iterable
from types import ModuleType
from typing import Any, Final

from agenttrace.record import trouble
from agenttrace.record.patch import replaced
from agenttrace.record.wire.transports import talk
from agenttrace.record.wire.transports.attempt import Follow
from agenttrace.record.wire.transports.talk import Talk

_KEY: Final = "_agenttrace_conversation"
_MESSAGE_BYTES: Final = 16 * 1024 * 1024  # a longer message is not read
_CONTINUATION, _TEXT, _BINARY = range(3)  # opcodes, RFC 6455, section 11.8
_Wanted = Callable[[], bool]


@contextlib.contextmanager
def hooked(module: ModuleType, follow: Follow) -> Generator[None]:
    """Meter the client connections of *module* (``websockets.client``).

    Args:
        module: The imported module.
        follow: Told of each conversation that has not ended yet.
    """
    protocol: Any = module.ClientProtocol
    with (
        replaced(protocol, "send_request", functools.partial(_opening, follow)),
        replaced(protocol, "send_frame", _sending),
        replaced(protocol, "events_received", _receiving),
        replaced(protocol, "receive_eof", _ending),
    ):
        yield


class _Spoken:
    """A conversation, and the messages that are under way in both directions."""

    __slots__ = ("_received", "_sent", "talk")

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self._sent = _Message()
        self._received = _Message()

    def send(self, frame: Any) -> None:
        message = self._sent.whole(frame)
        if message is not None:
            self.talk.sent(message)

    def receive(self, events: Iterable[Any]) -> None:
        for frame in events:
            message = self._received.whole(frame) if hasattr(frame, "opcode") else None
            if message is not None:
                self.talk.received(message)


class _Message:
    """Puts the frames of a message together."""

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def whole(self, frame: Any) -> bytes | None:
        """Take the next frame; returns the message if that is its last one."""
        if frame.opcode > _BINARY:
            return None
        data = frame.data
        if frame.fin and not self._pieces:
            return bytes(data)
        self._size += len(data)
        # Of a message that is too long, one empty piece remains until it ends.
        self._pieces.append(bytes(data))
        if self._size > _MESSAGE_BYTES:
            self._pieces = [b""]
        if not frame.fin:
            return None
        message = b"".join(self._pieces) if self._size <= _MESSAGE_BYTES else None
        self._pieces, self._size = [], 0
        return message


def _opening(follow: Follow, send: Callable[..., None], wanted: _Wanted) -> Callable[..., None]:
    @functools.wraps(send)
    def wrapper(self: Any, request: Any) -> None:
        if wanted():
            with trouble.Guard("a conversation"):
                path, _, query = request.path.partition("?")
                begun = talk.begun(_host(self), path, query)
                if begun is not None:
                    self.__dict__[_KEY] = _Spoken(begun)
                    follow(begun)
        send(self, request)

    return wrapper


def _host(protocol: Any) -> str:
    uri = getattr(protocol, "uri", None) or protocol.wsuri  # its name until version 15
    return uri.host


def _sending(send: Callable[..., None], wanted: _Wanted) -> Callable[..., None]:
    @functools.wraps(send)
    def wrapper(self: Any, frame: Any) -> None:
        spoken = self.__dict__.get(_KEY) if wanted() else None
        if spoken is not None:
            with trouble.Guard("a conversation"):
                spoken.send(frame)
        send(self, frame)

    return wrapper


def _receiving(receive: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
    @functools.wraps(receive)
    def wrapper(self: Any) -> Any:
        events = receive(self)
        spoken = self.__dict__.get(_KEY) if wanted() else None
        if spoken is not None:
            with trouble.Guard("a conversation"):
                spoken.receive(events)
        return events

    return wrapper


def _ending(receive_eof: Callable[..., None], wanted: _Wanted) -> Callable[..., None]:
    @functools.wraps(receive_eof)
    def wrapper(self: Any) -> None:
        receive_eof(self)
        spoken = self.__dict__.pop(_KEY, None) if wanted() else None
        if spoken is not None:
            spoken.talk.end(_broken(self))

    return wrapper


def _broken(protocol: Any) -> BaseException | None:
    """Return the error that the program sees; None if the connection was closed as it should be."""
    with trouble.Guard("a conversation"):
        error: BaseException = protocol.close_exc
        return None if type(error).__name__ == "ConnectionClosedOK" else error
    return None
