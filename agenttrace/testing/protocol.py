"""What each provider protocol has to know, and what they share."""

import abc
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.policy import HTTP
from typing import Any, ClassVar, Protocol, cast, runtime_checkable

from agenttrace.testing.tokens import (
    CHARACTERS_PER_TOKEN,
    PromptCache,
    Segment,
    count_tokens,
    tokens_in,
)
from agenttrace.testing.values import JSON, Message, Reply, Request, Tokens, ToolCall, Usage
from agenttrace.testing.websocket import Socket

# 2026-01-01: responses are the same in every run, their clock too.
_EPOCH_S = 1_767_225_600


class BadRequestError(Exception):
    """The request is not one that the provider would accept; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a protocol reads from a request's body."""

    segments: Sequence[Segment]  # the prompt, in the order in which it is cached
    model: str
    stream: bool = False
    system: str = ""
    messages: tuple[Message, ...] = ()
    tools: JSON
    must_call: str = ""
    output_schema: JSON | None = None
    max_tokens: int | None = None
    choices: int = 1  # answers wanted, each billed
    # Sound and pictures, given and made, are counted besides the texts.
    besides: Tokens = field(default_factory=Tokens)

    @property
    def prompt(self) -> str:
        """All that is counted, as text."""
        return "".join(segment.text for segment in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply to one request, counted and with its ids: all that goes into a response."""

    request: Request
    reply: Reply
    id: str
    text: str  # cut to the tokens that were asked for
    truncated: bool
    tool_calls: tuple[ToolCall, ...]
    tokens: Tokens
    choices: int = 1

    @property
    def model(self) -> str:
        """The model named in the response."""
        return self.reply.model or self.request.model

    @property
    def thinking(self) -> str:
        """Reasoning, where the protocol shows it."""
        return self.reply.thinking

    @property
    def created(self) -> int:
        """Seconds since the epoch, the same in every run."""
        return _EPOCH_S + self.request.number

    @property
    def usage_state(self) -> Usage:
        """How much of the tokens a response sent whole reports."""
        return "reported" if self.reply.usage == "reported" else "missing"

    def usage(self, spelled: JSON, name: str = "usage") -> dict[str, Any]:
        """Return the member of a response that tells the usage, as the script wants it."""
        match self.reply.usage:
            case "reported":
                return {name: dict(spelled)}
            case "null":
                return {name: dict.fromkeys(spelled)}
            case "missing":
                return {}


@dataclass(frozen=True, slots=True)
class Ids:
    """How a protocol's ids begin; the request's number follows."""

    response: str
    tool_call: str


def answer(asked: Asked, request: Request, reply: Reply, input_tokens: Tokens, ids: Ids) -> Answer:
    """Count *reply* and give it its ids.

    Output is the text, the names and arguments of the tool calls, and the thinking.
    """
    text, truncated = reply.text, False
    if asked.max_tokens is not None and count_tokens(text) > asked.max_tokens:
        text, truncated = text[: asked.max_tokens * CHARACTERS_PER_TOKEN], True
    calls = tuple(
        call if call.id else replace(call, id=f"{ids.tool_call}{request.number:06d}_{at}")
        for at, call in enumerate(reply.tool_calls, 1)
    )
    reasoning = count_tokens(reply.thinking)
    said = text + "".join(call.name + call.json for call in calls)
    output_tokens = asked.choices * count_tokens(said) + reasoning
    made = Tokens(output_tokens=output_tokens, reasoning_tokens=reasoning)
    tokens = reply.tokens or input_tokens + made + asked.besides
    return Answer(
        request=request,
        reply=reply,
        id=f"{ids.response}{request.number:06d}" if ids.response else "",
        text=text,
        truncated=truncated,
        tool_calls=calls,
        tokens=tokens,
        choices=asked.choices,
    )


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream.

    Args:
        data: As it travels.
        tokens: Billed once it has left; None leaves what was billed before.
        usage: What the client has been told once it has arrived; None as before.
        piece: It carries generated text; the script counts these.
    """

    data: bytes
    tokens: Tokens | None = None
    usage: Usage | None = None
    piece: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One HTTP request, as it came; *place* has the named parts of its path."""

    method: str
    path: str  # without the query
    query: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    place: Mapping[str, str] = field(default_factory=dict[str, str])


class Dialect(abc.ABC):
    """One protocol: how its requests read, and how its responses are spelt.

    Attributes:
        provider: Who speaks it.
        operation: What it asks of a model, as the GenAI conventions name it.
        ids: How its ids begin.
        request_id: The response header with the id of the request.
        content_type: Of a response that is sent whole.
        tells_inner: Its usage tells of the calls that the provider made on its own.
        stream_type: Of a response that is sent as a stream.
    """

    provider: ClassVar[str]
    operation: ClassVar[str] = "chat"
    ids: ClassVar[Ids] = Ids("", "")
    request_id: ClassVar[str] = "x-request-id"
    content_type: ClassVar[str] = "application/json"
    tells_inner: ClassVar[bool] = False
    stream_type: ClassVar[str] = "text/event-stream; charset=utf-8"

    def body(self, incoming: Incoming) -> JSON:
        """Return the request as JSON, with what its path says; raises BadRequestError."""
        return json_of(incoming.body)

    @abc.abstractmethod
    def read(self, body: JSON) -> Asked:
        """Understand a request; raises BadRequestError."""

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:
        """Count the input; most protocols cache without being asked."""
        return cache.automatic(asked.model, asked.prompt)

    def response(self, answer: Answer) -> JSON:
        """Spell the whole response; what answers with something else has ``whole`` of its own."""
        raise NotImplementedError

    def whole(self, answer: Answer) -> bytes:
        """Return the whole response as it travels: JSON, if the protocol is not of another kind."""
        return encoded(self.response(answer))

    def headers(self, answer: Answer) -> Mapping[str, str]:  # noqa: ARG002 - for subclasses
        """Return what the head of a whole response tells besides."""
        return {}

    def told(self, answer: Answer) -> Usage:
        """Return how much of the tokens the whole response reports."""
        return answer.usage_state

    @abc.abstractmethod
    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""


class StreamingDialect(Dialect):
    """A protocol that can send its responses as streams."""

    @abc.abstractmethod
    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell the response as a stream."""

    @abc.abstractmethod
    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The response to a request that no model works on."""

    status: int
    body: JSON | bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Worked:
    """The answer to a request that came inside another one.

    Args:
        status: The HTTP status that it would have had alone.
        response: The response, or the error.
        told: To be called when the client is told what it cost.
    """

    status: int
    response: JSON
    told: Callable[[], None]


class Desk(Protocol):
    """What a page may ask of the provider."""

    def work(self, endpoint: str, body: JSON) -> Worked:
        """Play a request that came inside another one, as a line of a batch, and bill it.

        Raises BadRequestError where *endpoint* is none.
        """
        ...

    def play(self, dialect: Dialect, body: JSON, incoming: Incoming, socket: Socket) -> None:
        """Play a request that came over a websocket, and bill it."""
        ...

    def told(self, response_id: str) -> None:
        """Note that the client has been told what this response cost."""
        ...


Page = Callable[[Desk, Incoming], Sent]


@runtime_checkable
class Talk(Protocol):
    """A conversation over a websocket, from its opening until one side ends it."""

    def talk(self, desk: Desk, incoming: Incoming, socket: Socket) -> None:
        """Hold the conversation."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a method and a path.

    Args:
        method: The HTTP method, or ``WEBSOCKET``.
        path: A regular expression for the whole path; its named groups are ``Incoming.place``.
        serves: The protocol of a model's work, a conversation, or a page on which none works.
        query: What the query must hold.
    """

    method: str
    path: str
    serves: Dialect | Talk | Page
    query: str = ""


class Tally:
    """What a stream has generated so far: counted, or a share of the tokens said outright."""

    def __init__(self, answer: Answer, *, shows_thinking: bool) -> None:
        self._total = answer.tokens
        self._counts = answer.reply.tokens is None
        calls = sum(len(call.name) + len(call.json) for call in answer.tool_calls)
        self._said_of = answer.choices * (len(answer.text) + calls)
        self._thought_of = len(answer.thinking)
        self._said = 0
        # Reasoning that is not shown is over before the first word.
        self._thought = 0 if shows_thinking else self._thought_of

    @property
    def tokens(self) -> Tokens:
        """The input, and the output so far."""
        reasoning = self._share(self._total.reasoning_tokens, self._thought, self._thought_of)
        visible = self._total.output_tokens - self._total.reasoning_tokens
        said = self._share(visible, self._said, self._said_of)
        return replace(self._total, output_tokens=reasoning + said, reasoning_tokens=reasoning)

    def said(self, piece: str) -> Tokens:
        """Count a piece of the answer."""
        self._said += len(piece)
        return self.tokens

    def thought(self, piece: str) -> Tokens:
        """Count a piece of shown thinking."""
        self._thought += len(piece)
        return self.tokens

    def _share(self, total: int, done: int, of: int) -> int:
        if done >= of:
            return total
        return tokens_in(done) if self._counts else total * done // of


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or a list of typed parts.

    A part without text, such as an image, reads as its type in brackets.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise BadRequestError(f"content is {type(content).__name__}, not text or a list of parts")
    return "\n".join(_text_of_part(part) for part in cast("list[object]", content))


def _text_of_part(part: object) -> str:
    if not isinstance(part, Mapping):
        raise BadRequestError("a part of content is not an object")
    known = cast("JSON", part)
    return known["text"] if isinstance(known.get("text"), str) else f"[{known.get('type')}]"


def text_pieces(text: str) -> list[str]:
    """Split a text the way it is streamed: a word at a time."""
    return re.findall(r"\s*\S+\s*", text) or ([text] if text else [])


def argument_pieces(arguments: str) -> list[str]:
    """Split a tool call's arguments the way they are streamed: a few characters at a time."""
    return [arguments[at : at + 12] for at in range(0, len(arguments), 12)]


def compact(value: object) -> str:
    """Return *value* as JSON without spaces: how tools are counted and responses travel."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encoded(payload: JSON) -> bytes:
    """Return a response's body."""
    return compact(payload).encode("utf-8", "surrogatepass")


def json_of(body: bytes) -> JSON:
    """Return the JSON object that a request is; raises BadRequestError."""
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise BadRequestError(f"the body could not be read: {error!r}") from error
    if not isinstance(parsed, dict):
        raise BadRequestError("the body is not a JSON object")
    return cast("JSON", parsed)


def form_of(incoming: Incoming) -> JSON:
    """Return the fields of a form that is uploaded; a file reads as ``{"name", "content"}``."""
    kind = incoming.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise BadRequestError("the body is not multipart/form-data")
    whole = f"Content-Type: {kind}\r\n\r\n".encode() + incoming.body
    found: dict[str, Any] = {}
    for part in message_from_bytes(whole, policy=HTTP).iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            file = part.get_filename()
            found[name] = content.decode() if file is None else {"name": file, "content": content}
    return found


def understood(dialect: Dialect, body: JSON) -> Asked:
    """Return what *body* asks for; raises BadRequestError."""
    try:
        return dialect.read(body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRequestError(f"the body could not be read: {error!r}") from error


def named_event(name: str, data: JSON) -> bytes:
    """Return a server-sent event with its name, as Anthropic and the Responses API send it."""
    return f"event: {name}\ndata: {compact(data)}\n\n".encode()


def objects(value: object, name: str) -> list[JSON]:
    """Return *value* as a list of objects; nothing at all is an empty list."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequestError(f"{name} is not a list")
    items = cast("list[object]", value)
    if not all(isinstance(item, Mapping) for item in items):
        raise BadRequestError(f"{name} holds something that is not an object")
    return cast("list[JSON]", items)


def member(body: JSON, name: str) -> JSON:
    """Return an object inside *body*; nothing at all is an empty one."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadRequestError(f"{name} is not an object")
    return cast("JSON", value)


def number(body: JSON, name: str) -> int | None:
    """Return a whole number of *body*, 1 or more; None where it is not given."""
    value = body.get(name)
    if value is not None and not (isinstance(value, int) and value >= 1):
        raise BadRequestError(f"{name} must be a whole number, 1 or more")
    return value


def model_of(body: JSON) -> str:
    """Return the model that *body* asks for."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequestError("you must provide a model parameter")
    return model
