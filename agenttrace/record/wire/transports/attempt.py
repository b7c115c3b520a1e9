"""What the adapters of HTTP clients have in common: how an attempt begins, and its body."""

import re
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from agenttrace import semconv
from agenttrace.record.invocation import innermost
from agenttrace.record.wire import dialects
from agenttrace.record.wire import exchange as exchanges
from agenttrace.record.wire.exchange import CONDENSE_BYTES, Exchange
from agenttrace.record.wire.meter import Followed

Follow = Callable[[Followed], None]
Header = Callable[[str], str | None]

_RETRY_HEADER: Final = "x-stainless-retry-count"
_AWS_HEADER: Final = "amz-sdk-request"
_FORM_BYTES: Final = 256 * 1024  # of a long form the fields are looked for at both ends
_JSON_BEGINS: Final = (b"{", b" ", b"\n", b"\r", b"\t", b"")


def is_known(method: str, path: str) -> bool:
    """Whether some dialect speaks of *path*; most requests of a program end here."""
    return dialects.of(method, path) is not None


def begin(method: str, host: str, path: str, body: object, header: Header) -> Exchange | None:
    """Start following a request if it is a model call.

    Args:
        method: The HTTP method.
        host: The host, without the port.
        path: The path as it is sent, without the query.
        body: What the client was given to send. Only bytes and text are looked at; a stream would
            be used up.
        header: Returns a header of the request by its name, in lower case.
    """
    return exchanges.begin(
        method, host=host, path=path, body=_readable(body), retry_count=_attempts_before(header)
    )


def _readable(body: object) -> bytes | None:
    """Return the body as JSON; None if it cannot be seen, or is not JSON (an upload, compressed).

    Of a form, only the short fields that say which model is asked are taken.
    """
    if body is None:
        return b""
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    if isinstance(body, bytearray):
        body = bytes(body)
    if isinstance(body, bytes):
        if body[:1] in _JSON_BEGINS:
            return body
        fields = _fields_in(body) if body.startswith(b"--") else {}
    else:
        parts = cast("list[Any]", getattr(body, "fields", ()))  # a form of httpx
        fields = {part.name: part.value for part in parts if hasattr(part, "value")}
    model = fields.get("model")
    if not isinstance(model, str):
        return None
    return msgspec.json.encode({"model": model, "stream": fields.get("stream") in ("true", True)})


def _fields_in(form: bytes) -> dict[str, object]:
    """Return the model fields of a multipart form; no part of it holds the boundary."""
    boundary = re.escape(form[: form.find(b"\r\n")])
    field = re.compile(
        boundary + rb'\r\ncontent-disposition: form-data; name="(model|stream)"\r\n'
        rb"(?:content-[^\r\n]*\r\n)*\r\n([^\r\n]{1,256})(?=\r\n" + boundary + rb")",
        re.IGNORECASE,
    )
    ends = form if len(form) <= 2 * _FORM_BYTES else form[:_FORM_BYTES] + form[-_FORM_BYTES:]
    return {m[1].decode(): m[2].decode("utf-8", "replace") for m in field.finditer(ends)}


def _attempts_before(header: Header) -> str | None:
    said = header(_RETRY_HEADER)
    if said is not None:
        return said
    number = (header(_AWS_HEADER) or "").partition("attempt=")[2].partition(";")[0]
    return str(int(number) - 1) if number.isdecimal() and int(number) else None


def baggage_without_task(header: Header) -> str | None:
    """Return the baggage as it may be sent to a provider: without our task.

    Returns:
        The header, empty if nothing is left of it; None if it may stay as it is.
    """
    if innermost() is None:
        return None
    said = header("baggage")
    if not said:
        return None
    members = [member.strip() for member in said.split(",")]
    others = [member for member in members if not member.startswith(semconv.TASK_ID + "=")]
    return None if len(others) == len(members) else ",".join(others)


class Body:
    """A response's body on its way to the program: the exchange sees each piece.

    It ends the exchange at the latest when the client lets go of the response.
    """

    __slots__ = ("__weakref__", "_has_begun", "_room", "exchange")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._has_begun = False
        self._room = 0

    def take(self, piece: bytes) -> None:
        """Show a piece, which is not empty, to the exchange."""
        self.exchange.keep(piece)
        self._room -= len(piece)
        if self._room < 0:
            self._make_room()

    def _make_room(self) -> None:
        if self._has_begun:
            self.exchange.condense()
        else:
            self.exchange.begin_body()
            self._has_begun = True
        self._room = CONDENSE_BYTES

    def __del__(self) -> None:
        self.exchange.end(left=True)


def set_header(headers: Any, name: str, value: str) -> None:
    """Set a header, or take it out where nothing is left to say."""
    if value:
        headers[name] = value
    else:
        del headers[name]
