"""Google's Gemini: content, streamed or whole, embeddings and caches, at both of its addresses."""

import json
import threading
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, Literal, cast

from agenttrace.testing.anthropic import Messages
from agenttrace.testing.openai import vector
from agenttrace.testing.protocol import (
    Answer,
    Asked,
    BadRequestError,
    Desk,
    Dialect,
    Event,
    Ids,
    Incoming,
    Route,
    Sent,
    StreamingDialect,
    Tally,
    compact,
    json_of,
    member,
    number,
    objects,
    text_pieces,
    understood,
)
from agenttrace.testing.tokens import PromptCache, Segment, count_tokens
from agenttrace.testing.values import JSON, Message, Tokens, ToolCall

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_DIMENSIONS = 768


class Caches:
    """The prompts that clients have put into caches, by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._prompts: dict[str, str] = {}

    def keep(self, name: str, prompt: str) -> None:
        """Keep a prompt."""
        with self._lock:
            self._prompts[name] = prompt

    def prompt(self, name: str) -> str:
        """Return a prompt; raises BadRequestError."""
        with self._lock:
            found = self._prompts.get(name)
        if found is None:
            raise BadRequestError(f"CachedContent not found: {name}")
        return found


class Google(Dialect):
    """What Google's protocols have in common."""

    provider = "gcp.gemini"

    def body(self, incoming: Incoming) -> JSON:
        """Put the model that the path names, and whether it asks for a stream, into the body."""
        streams = incoming.path.endswith(":streamGenerateContent")
        place = {"model": incoming.place["model"], "stream": streams}
        return {**json_of(incoming.body), **place}

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        usual = "INTERNAL" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "FAILED_PRECONDITION"
        name = _STATUSES.get(status, usual)
        return {"error": {"code": status, "message": message, "status": name}}


class GenerateContent(Google, StreamingDialect):
    """``POST …/models/{model}:generateContent`` and ``:streamGenerateContent?alt=sse``."""

    operation = "generate_content"
    ids = Ids("gemini-", "call-")

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def read(self, body: JSON) -> Asked:
        """Understand a request; a cache that it names is the beginning of its prompt."""
        contents = objects(body.get("contents"), "contents")
        if not contents:
            raise BadRequestError("GenerateContentRequest.contents: contents is not specified")
        config = member(body, "generationConfig")
        tools, system, turns = _prompt(body)
        cached = body.get("cachedContent")
        kept = self._caches.prompt(cached) if isinstance(cached, str) else ""
        return Asked(
            segments=[
                *([Segment(kept, "1h")] if kept else []),
                *_segments(tools, system, turns),
            ],
            model=body["model"],
            stream=bool(body.get("stream")),
            system=system,
            messages=tuple(turns),
            tools=_schemas(tools),
            must_call=_forced_tool(body, _schemas(tools)),
            output_schema=config.get("responseJsonSchema")
            or _lowered(config.get("responseSchema")),
            max_tokens=number(config, "maxOutputTokens"),
            choices=number(config, "candidateCount") or 1,
        )

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:
        """Count the input: what lies in a cache is read from it, else what was sent before."""
        kept = [one.text for one in asked.segments if one.cache]
        if not kept:
            return super().count(cache, asked)
        read = count_tokens("".join(kept))
        return Tokens(input_tokens=count_tokens(asked.prompt), cache_read_tokens=read)

    def count_page(self, _desk: Desk, incoming: Incoming) -> Sent:
        """Say how many tokens a prompt has; no model works on it."""
        try:
            body = self.body(incoming)
            inner = member(body, "generateContentRequest")
            asked = understood(self, {**body, **inner})
        except BadRequestError as error:
            return Sent(400, self.error(400, str(error)))
        return Sent(200, {"totalTokens": count_tokens(asked.prompt)})

    def response(self, answer: Answer) -> JSON:
        """Spell a response."""
        return _chunk(answer, _parts(answer), answer.tokens, finish=_finish_reason(answer))

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell a stream; each piece says what was used so far."""
        for parts, tokens, is_last in _streamed(answer):
            finish = _finish_reason(answer) if is_last else ""
            chunk = compact(_chunk(answer, parts, tokens, finish=finish))
            usage = answer.usage_state
            yield Event(f"data: {chunk}\r\n\r\n".encode(), tokens, usage, piece=not is_last)

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream: it is no event, but plain JSON."""
        return json.dumps(self.error(status, message), indent=2).encode() + b"\n"


class StreamContent(GenerateContent):
    """``POST …/models/{model}:streamGenerateContent`` without ``alt=sse``: an array that grows."""

    stream_type = "application/json; charset=UTF-8"

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell the stream, indented as the service does it."""
        before = "["
        for parts, tokens, is_last in _streamed(answer):
            finish = _finish_reason(answer) if is_last else ""
            chunk = json.dumps(_chunk(answer, parts, tokens, finish=finish), indent=2)
            data = f"{before}{chunk}{chr(10) + ']' if is_last else ''}\n"
            yield Event(data.encode(), tokens, answer.usage_state, piece=not is_last)
            before = ",\r\n"

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream: the last thing in the array."""
        return b",\r\n" + json.dumps(self.error(status, message), indent=2).encode() + b"\n]\n"


class Embeddings(Google):
    """``POST …/models/{model}:batchEmbedContents`` and ``:embedContent``."""

    operation = "embeddings"

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        segments = [Segment(text) for text in _texts(body)]
        return Asked(segments=segments, model=body["model"], tools={})

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:  # noqa: ARG002 - nothing is cached
        """Count the texts."""
        return Tokens(input_tokens=count_tokens(asked.prompt))

    def response(self, answer: Answer) -> JSON:
        """Spell the vectors."""
        found = [{"values": vector(text, _DIMENSIONS)} for text in _texts(answer.request.body)]
        many = "requests" in answer.request.body
        counts = {"promptTokenCount": answer.tokens.input_tokens}
        return {
            **({"embeddings": found} if many else {"embedding": found[0]}),
            **answer.usage(counts, "usageMetadata"),
        }


class VertexEmbeddings(Google):
    """``POST …/publishers/google/models/{model}:predict``, which counts each text."""

    provider = "gcp.vertex_ai"
    operation = "embeddings"

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        texts = [
            Segment(str(one.get("content"))) for one in objects(body["instances"], "instances")
        ]
        return Asked(segments=texts, model=body["model"], tools={})

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:  # noqa: ARG002 - nothing is cached
        """Count the texts, each on its own."""
        return Tokens(input_tokens=sum(count_tokens(one.text) for one in asked.segments))

    def response(self, answer: Answer) -> JSON:
        """Spell the vectors, each with its count."""
        texts = [str(one.get("content")) for one in answer.request.body["instances"]]
        return {"predictions": [{"embeddings": _embedded(answer, text)} for text in texts]}


class CreateCache(Google):
    """``POST …/cachedContents``: a prompt is read once, for later requests to begin with."""

    operation = "create_cache"
    ids = Ids("cachedContents/", "")

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def body(self, incoming: Incoming) -> JSON:
        """Return the body, which names the model."""
        return json_of(incoming.body)

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        model = str(body["model"]).rpartition("/")[2]
        return Asked(segments=_segments(*_prompt(body)), model=model, tools={})

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:  # noqa: ARG002 - one of its own
        """Count the prompt, all of which is written to the cache."""
        tokens = count_tokens(asked.prompt)
        return Tokens(input_tokens=tokens, cache_write_tokens=tokens)

    def response(self, answer: Answer) -> JSON:
        """Keep the prompt, and say what it is called."""
        self._caches.keep(answer.id, answer.request.prompt)
        counts = {"totalTokenCount": answer.tokens.input_tokens}
        return {
            "name": answer.id,
            "model": f"models/{answer.model}",
            "createTime": "2026-01-01T00:00:00Z",
            "updateTime": "2026-01-01T00:00:00Z",
            "expireTime": "2026-01-01T01:00:00Z",
            **answer.usage(counts, "usageMetadata"),
        }


class VertexMessages(Messages):
    """``POST …/publishers/anthropic/models/{model}:rawPredict`` and ``:streamRawPredict``."""

    provider = "gcp.vertex_ai"

    def body(self, incoming: Incoming) -> JSON:
        """Put the model that the path names into the body."""
        return {**json_of(incoming.body), "model": incoming.place["model"]}


_Prompt = tuple[list[JSON], str, list[Message]]


def _prompt(body: JSON) -> _Prompt:
    """Return the functions, the system's text and the turns of a request."""
    offered = objects(body.get("tools"), "tools")
    tools = [
        one
        for tool in offered
        for one in objects(tool.get("functionDeclarations"), "functionDeclarations")
    ]
    system = "\n".join(_part_text(part) for part in _parts_of(member(body, "systemInstruction")))
    turns = [
        Message(_role(content, part), _part_text(part))
        for content in objects(body.get("contents"), "contents")
        for part in _parts_of(content)
    ]
    return tools, system, turns


def _segments(tools: Sequence[JSON], system: str, turns: Sequence[Message]) -> list[Segment]:
    return [
        *(Segment(f"{compact(tool)}\n") for tool in tools),
        *([Segment(f"system: {system}\n")] if system else []),
        *(Segment(f"{turn.role}: {turn.text}\n") for turn in turns),
    ]


def _schemas(tools: Sequence[JSON]) -> JSON:
    return {
        tool["name"]: tool.get("parametersJsonSchema") or _lowered(tool.get("parameters")) or {}
        for tool in tools
    }


def _lowered(schema: Any) -> Any:
    """Return a schema with its types in lower case, as everybody else has them."""
    if isinstance(schema, dict):
        return {
            name: value.lower() if name == "type" and isinstance(value, str) else _lowered(value)
            for name, value in cast("JSON", schema).items()
        }
    return (
        [_lowered(one) for one in cast("list[Any]", schema)] if isinstance(schema, list) else schema
    )


def _parts_of(content: JSON) -> list[JSON]:
    return objects(content.get("parts"), "parts")


def _part_text(part: JSON) -> str:
    match part:
        case {"text": str(text)}:
            return text
        case {"functionCall": {"name": name, **call}}:
            return f"{name}({compact(call.get('args') or {})})"
        case {"functionResponse": {"response": response}}:
            return compact(response)
        case _:
            return f"[{next(iter(part), 'part')}]"


def _role(content: JSON, part: JSON) -> Literal["user", "assistant", "tool"]:
    if "functionResponse" in part:
        return "tool"
    return "assistant" if content.get("role") == "model" else "user"


def _forced_tool(body: JSON, tools: JSON) -> str:
    wanted = member(member(body, "toolConfig"), "functionCallingConfig")
    if str(wanted.get("mode")).upper() != "ANY":
        return ""
    return next(iter(wanted.get("allowedFunctionNames") or tools), "")


def _parts(answer: Answer) -> list[JSON]:
    """Return the content: thoughts, text, then the calls of functions."""
    return [
        *([{"text": answer.thinking, "thought": True}] if answer.thinking else []),
        *([{"text": answer.text}] if answer.text else []),
        *(_call(call) for call in answer.tool_calls),
    ]


def _call(call: ToolCall) -> JSON:
    try:
        arguments = json.loads(call.json)
    except ValueError:
        arguments = {"INVALID_JSON": call.json}
    return {"functionCall": {"id": call.id, "name": call.name, "args": arguments}}


def _streamed(answer: Answer) -> Iterator[tuple[list[JSON], Tokens, bool]]:
    """Yield the parts of each piece, the tokens up to it, and whether it is the last."""
    tally = Tally(answer, shows_thinking=True)
    for piece in text_pieces(answer.thinking):
        yield [{"text": piece, "thought": True}], tally.thought(piece), False
    for piece in text_pieces(answer.text):
        yield [{"text": piece}], tally.said(piece), False
    for call in answer.tool_calls:
        yield [_call(call)], tally.said(call.name + call.json), False
    yield [{"text": ""}], answer.tokens, True


def _chunk(answer: Answer, parts: list[JSON], tokens: Tokens, *, finish: str) -> JSON:
    ending = {"finishReason": finish} if finish else {}
    return {
        "candidates": [
            {"content": {"parts": parts, "role": "model"}, **ending, "index": index}
            for index in range(answer.choices)
        ],
        **answer.usage(_usage(tokens), "usageMetadata"),
        "modelVersion": answer.model,
        "responseId": answer.id,
    }


def _finish_reason(answer: Answer) -> str:
    return "MAX_TOKENS" if answer.truncated else "STOP"


def _usage(tokens: Tokens) -> JSON:
    """Spell the usage: what is zero is left out, and thoughts are beside the candidates."""
    counts = {
        "promptTokenCount": tokens.input_tokens,
        "cachedContentTokenCount": tokens.cache_read_tokens,
        "candidatesTokenCount": tokens.output_tokens - tokens.reasoning_tokens,
        "thoughtsTokenCount": tokens.reasoning_tokens,
        "totalTokenCount": tokens.input_tokens + tokens.output_tokens,
    }
    return {name: count for name, count in counts.items() if count}


def _texts(body: JSON) -> list[str]:
    """Return the texts to embed: one request, or several."""
    asked = objects(body["requests"], "requests") if "requests" in body else [body]
    contents = [_parts_of(member(one, "content")) for one in asked]
    return ["\n".join(map(_part_text, parts)) for parts in contents]


def _embedded(answer: Answer, text: str) -> JSON:
    counts = {"token_count": count_tokens(text), "truncated": False}
    return {"values": vector(text, _DIMENSIONS), **answer.usage(counts, "statistics")}


_PLACE = r"/v1(?:alpha|beta)?[0-9]*(?:/projects/[^/]+/locations/[^/]+)?"
_MODEL = rf"{_PLACE}(?:/publishers/google)?/models/(?P<model>[^/:]+)"
_CLAUDE = rf"{_PLACE}/publishers/anthropic/models/(?P<model>[^/:]+)"


def routes() -> list[Route]:
    """Return what this module answers."""
    caches = Caches()
    content = GenerateContent(caches)
    return [
        Route("POST", f"{_MODEL}:generateContent", content),
        Route("POST", f"{_MODEL}:streamGenerateContent", content, "alt=sse"),
        Route("POST", f"{_MODEL}:streamGenerateContent", StreamContent(caches)),
        Route("POST", f"{_MODEL}:countTokens", content.count_page),
        Route("POST", f"{_MODEL}:(?:embedContent|batchEmbedContents)", Embeddings()),
        Route("POST", f"{_MODEL}:predict", VertexEmbeddings()),
        Route("POST", f"{_CLAUDE}:(?:rawPredict|streamRawPredict)", VertexMessages()),
        Route("POST", f"{_PLACE}/cachedContents", CreateCache(caches)),
    ]
