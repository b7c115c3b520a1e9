"""OpenAI's chat completions and embeddings."""

import base64
import math
import struct
import zlib
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, cast

from agenttrace.testing.protocol import (
    Answer,
    Asked,
    BadRequestError,
    Dialect,
    Event,
    Ids,
    Route,
    StreamingDialect,
    Tally,
    argument_pieces,
    compact,
    member,
    model_of,
    number,
    objects,
    text_of,
    text_pieces,
)
from agenttrace.testing.tokens import PromptCache, Segment, count_tokens
from agenttrace.testing.values import JSON, Message, Tokens, ToolCall

_ERRORS = {
    401: ("invalid_request_error", "invalid_api_key"),
    429: ("requests", "rate_limit_exceeded"),
}
_SYSTEM_ROLES = ("system", "developer")


def error(status: int, message: str) -> JSON:
    """Spell an error the way OpenAI does."""
    usual = (
        ("server_error", None)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR
        else ("invalid_request_error", None)
    )
    kind, code = _ERRORS.get(status, usual)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def forced_tool(choice: object, tools: JSON) -> str:
    """Return the tool that ``tool_choice`` demands: the first, where any will do."""
    if choice == "required":
        return next(iter(tools), "")
    if not isinstance(choice, dict):
        return ""
    wanted = cast("dict[str, Any]", choice)
    return wanted.get("function", wanted).get("name", "")


class Chat(StreamingDialect):
    """``POST /v1/chat/completions``."""

    provider = "openai"
    ids = Ids("chatcmpl-", "call_")

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        messages = objects(body.get("messages"), "messages")
        if not messages:
            raise BadRequestError("messages must not be empty")
        _asks_for_usage(body)  # Refuses nonsense now rather than in mid-stream.
        functions = [tool.get("function", {}) for tool in objects(body.get("tools"), "tools")]
        tools = {function["name"]: function.get("parameters", {}) for function in functions}
        texts = [(message.get("role", "user"), _text(message)) for message in messages]
        return Asked(
            segments=[
                *(Segment(f"{compact(function)}\n") for function in functions),
                *(Segment(f"{role}: {text}\n") for role, text in texts),
            ],
            model=model_of(body),
            stream=bool(body.get("stream")),
            system="\n".join(text for role, text in texts if role in _SYSTEM_ROLES),
            messages=tuple(
                Message(role, text) for role, text in texts if role not in _SYSTEM_ROLES
            ),
            tools=tools,
            must_call=forced_tool(body.get("tool_choice"), tools),
            output_schema=_output_schema(body.get("response_format")),
            max_tokens=number(body, "max_completion_tokens") or number(body, "max_tokens"),
            choices=number(body, "n") or 1,
        )

    def response(self, answer: Answer) -> JSON:
        """Spell a chat completion."""
        message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None}
        if answer.tool_calls:
            message["content"] = answer.text or None
            message["tool_calls"] = [_tool_call(call, call.json) for call in answer.tool_calls]
        return {
            "id": answer.id,
            "object": "chat.completion",
            "created": answer.created,
            "model": answer.model,
            "system_fingerprint": "fp_agenttrace",
            "choices": [
                {
                    "index": index,
                    "message": message,
                    "logprobs": None,
                    "finish_reason": _finish_reason(answer),
                }
                for index in range(answer.choices)
            ],
            **answer.usage(_usage(answer.tokens)),
        }

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell a stream of chunks; the usage comes only where it was asked for."""
        asked_for_usage = _asks_for_usage(answer.request.body)
        common = {
            "id": answer.id,
            "object": "chat.completion.chunk",
            "created": answer.created,
            "model": answer.model,
            "system_fingerprint": "fp_agenttrace",
        }

        def chunk(choices: list[Any], **more: Any) -> bytes:
            empty = {"usage": None} if asked_for_usage else {}
            return _data({**common, "choices": choices, **empty, **more})

        def delta(index: int, delta: JSON, finish_reason: str | None = None) -> bytes:
            return chunk([{"index": index, "delta": delta, "finish_reason": finish_reason}])

        tally = Tally(answer, shows_thinking=False)
        everyone = range(answer.choices)
        for index in everyone:
            yield Event(delta(index, {"role": "assistant", "content": ""}), tally.tokens)
        for piece in text_pieces(answer.text):
            for index in everyone:
                yield Event(delta(index, {"content": piece}), tally.said(piece), piece=True)
        for at, call in enumerate(answer.tool_calls):
            for index in everyone:
                first = {"index": at, **_tool_call(call, "")}
                yield Event(
                    delta(index, {"tool_calls": [first]}), tally.said(call.name), piece=True
                )
                for piece in argument_pieces(call.json):
                    more = {"index": at, "function": {"arguments": piece}}
                    yield Event(delta(index, {"tool_calls": [more]}), tally.said(piece), piece=True)
        for index in everyone:
            yield Event(delta(index, {}, _finish_reason(answer)), answer.tokens)
        usage = answer.usage(_usage(answer.tokens))
        if asked_for_usage and usage:
            yield Event(chunk([], **usage), usage=answer.usage_state)
        yield Event(b"data: [DONE]\n\n")

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        return error(status, message)

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream."""
        return _data(error(status, message))


def _asks_for_usage(body: JSON) -> bool:
    return bool(member(body, "stream_options").get("include_usage"))


def _data(value: JSON) -> bytes:
    return f"data: {compact(value)}\n\n".encode()


def _text(message: JSON) -> str:
    """Return what a message counts as: its text, then the tool calls it made."""
    made = [call.get("function", {}) for call in objects(message.get("tool_calls"), "tool_calls")]
    calls = [f"{function.get('name')}({function.get('arguments')})" for function in made]
    text = text_of(message.get("content"))
    return "\n".join([text, *calls] if text else calls)


def _output_schema(response_format: JSON | None) -> JSON | None:
    match response_format:
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            return schema
        case {"type": "json_object"}:
            return {"type": "object"}
        case _:
            return None


def _tool_call(call: ToolCall, arguments: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _finish_reason(answer: Answer) -> str:
    if answer.tool_calls:
        return "tool_calls"
    return "length" if answer.truncated else "stop"


def _usage(tokens: Tokens) -> JSON:
    return {
        "prompt_tokens": tokens.input_tokens,
        "completion_tokens": tokens.output_tokens,
        "total_tokens": tokens.input_tokens + tokens.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cache_read_tokens,
            "cache_write_tokens": tokens.cache_write_tokens,
            "audio_tokens": tokens.input_audio_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning_tokens,
            "audio_tokens": tokens.output_audio_tokens,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


class Completions(StreamingDialect):
    """``POST /v1/completions``, the older protocol without messages."""

    provider = "openai"
    operation = "text_completion"
    ids = Ids("cmpl-", "")

    def read(self, body: JSON) -> Asked:
        """Understand a request; each of several prompts is answered."""
        _asks_for_usage(body)
        given = body.get("prompt")
        prompts = [given] if isinstance(given, str) else given
        if not isinstance(prompts, list) or not prompts:
            raise BadRequestError("prompt must be text, or a list that is not empty")
        texts = [str(prompt) for prompt in cast("list[object]", prompts)]
        return Asked(
            segments=[Segment(text) for text in texts],
            model=model_of(body),
            stream=bool(body.get("stream")),
            messages=tuple(Message("user", text) for text in texts),
            tools={},
            max_tokens=number(body, "max_tokens"),
            choices=len(texts) * (number(body, "n") or 1),
        )

    def response(self, answer: Answer) -> JSON:
        """Spell a completion."""
        choices = [
            _text_choice(index, answer.text, _finish_reason(answer))
            for index in range(answer.choices)
        ]
        return {**_completion(answer, choices), **answer.usage(_usage(answer.tokens))}

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell a stream of pieces; the usage comes only where it was asked for."""
        tally = Tally(answer, shows_thinking=False)
        everyone = range(answer.choices)
        for piece in text_pieces(answer.text):
            for index in everyone:
                choice = _text_choice(index, piece, None)
                yield Event(_data(_completion(answer, [choice])), tally.said(piece), piece=True)
        last = [_text_choice(index, "", _finish_reason(answer)) for index in everyone]
        yield Event(_data(_completion(answer, last)), answer.tokens)
        usage = answer.usage(_usage(answer.tokens))
        if _asks_for_usage(answer.request.body) and usage:
            whole = {**_completion(answer, []), **usage}
            yield Event(_data(whole), usage=answer.usage_state)
        yield Event(b"data: [DONE]\n\n")

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        return error(status, message)

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream."""
        return _data(error(status, message))


def _completion(answer: Answer, choices: list[JSON]) -> dict[str, Any]:
    return {
        "id": answer.id,
        "object": "text_completion",
        "created": answer.created,
        "model": answer.model,
        "choices": choices,
    }


def _text_choice(index: int, text: str, finish_reason: str | None) -> JSON:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish_reason}


class Embeddings(Dialect):
    """``POST /v1/embeddings``: each word moves the vector, so like texts have like vectors."""

    provider = "openai"
    operation = "embeddings"

    def read(self, body: JSON) -> Asked:
        """Understand a request; tokens given as numbers count as they are."""
        number(body, "dimensions")
        return Asked(
            segments=[Segment(text) for text in _inputs(body)],
            model=model_of(body),
            tools={},
        )

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:  # noqa: ARG002 - nothing is cached
        """Count the texts."""
        return Tokens(input_tokens=count_tokens(asked.prompt))

    def response(self, answer: Answer) -> JSON:
        """Spell a list of embeddings, as numbers or in base64."""
        body = answer.request.body
        usual = 3072 if answer.request.model.endswith("-large") else 1536
        size = number(body, "dimensions") or usual
        base64_wanted = body.get("encoding_format") == "base64"
        vectors = [vector(text, size) for text in _inputs(body)]
        return {
            "object": "list",
            "model": answer.model,
            "data": [
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": _base64(vector) if base64_wanted else vector,
                }
                for index, vector in enumerate(vectors)
            ],
            **answer.usage(
                {
                    "prompt_tokens": answer.tokens.input_tokens,
                    "total_tokens": answer.tokens.input_tokens,
                }
            ),
        }

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        return error(status, message)


def _inputs(body: JSON) -> list[str]:
    """Return the texts to embed; a list of token ids reads as a text of as many tokens."""
    given = body.get("input")
    if not given or not isinstance(given, str | list):
        raise BadRequestError("input must be text, or a list that is not empty")
    several = isinstance(given, list) and not isinstance(given[0], int)
    return [
        text if isinstance(text, str) else "".join(f"{token % 10_000:04d}" for token in text)
        for text in cast("list[str | list[int]]", given if several else [given])
    ]


def vector(text: str, size: int) -> list[float]:
    """Return a unit vector: every word adds to one place of it."""
    vector = [0.0] * size
    for word in text.lower().split() or [text]:
        place = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        vector[place % size] += 1.0 if place & 0x8000_0000 else -1.0
    length = math.sqrt(sum(value * value for value in vector))
    if not length:  # Two words may cancel out.
        return [1.0, *vector[1:]]
    return [value / length for value in vector]


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def routes() -> list[Route]:
    """Return what this module answers."""
    return [
        # Azure and many gateways have a path of their own before the protocol's.
        Route("POST", "/.+/chat/completions", Chat()),
        Route("POST", "/v1/completions", Completions()),
        Route("POST", "/v1/embeddings", Embeddings()),
    ]
