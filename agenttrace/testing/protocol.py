"""What each provider protocol has to know, and what they share."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, cast, runtime_checkable

from agenttrace.testing.tokens import CHARACTERS_PER_TOKEN, Segment, count_tokens, tokens_in
from agenttrace.testing.values import JSON, Message, Reply, Request, Tokens, ToolCall, Usage

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

    def usage(self, spelled: JSON) -> dict[str, Any]:
        """Return the ``usage`` member of a response, as the script wants it."""
        match self.reply.usage:
            case "reported":
                return {"usage": dict(spelled)}
            case "null":
                return {"usage": dict.fromkeys(spelled)}
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
    tokens = reply.tokens or replace(
        input_tokens,
        output_tokens=asked.choices * count_tokens(said) + reasoning,
        reasoning_tokens=reasoning,
    )
    return Answer(
        request=request,
        reply=reply,
        id=f"{ids.response}{request.number:06d}",
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


class Dialect(Protocol):
    """One protocol: how its requests read, and how its responses are spelt."""

    provider: Literal["openai", "anthropic"]
    operation: Literal["chat", "embeddings"]
    ids: Ids

    def read(self, body: JSON) -> Asked:
        """Understand a request; raises BadRequestError."""
        ...

    def response(self, answer: Answer) -> JSON:
        """Spell the whole response."""
        ...

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        ...


@runtime_checkable
class StreamingDialect(Dialect, Protocol):
    """A protocol that can send its responses as streams."""

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell the response as a stream."""
        ...

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream."""
        ...


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
