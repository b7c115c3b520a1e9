"""Cohere: chat in both of its versions, embeddings and reranking."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Literal, cast

from agenttrace.testing.openai import vector
from agenttrace.testing.protocol import (
    Answer,
    Asked,
    BadRequestError,
    Dialect,
    Event,
    Ids,
    Incoming,
    Route,
    StreamingDialect,
    Tally,
    argument_pieces,
    compact,
    encoded,
    json_of,
    member,
    model_of,
    named_event,
    number,
    objects,
    text_of,
    text_pieces,
)
from agenttrace.testing.tokens import PromptCache, Segment, count_tokens
from agenttrace.testing.values import JSON, Message, Tokens, ToolCall

_DIMENSIONS = 256


class _Cohere(Dialect):
    provider = "cohere"

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        return {"id": f"error-{HTTPStatus(status).name.lower()}", "message": message}


class Chat(_Cohere, StreamingDialect):
    """``POST /v2/chat``."""

    ids = Ids("cohere-chat-", "call_")

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        messages = objects(body.get("messages"), "messages")
        if not messages:
            raise BadRequestError("invalid request: at least one message is required")
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
            system="\n".join(text for role, text in texts if role == "system"),
            messages=tuple(Message(role, text) for role, text in texts if role != "system"),
            tools=tools,
            must_call=next(iter(tools), "") if body.get("tool_choice") == "REQUIRED" else "",
            output_schema=_output_schema(body),
            max_tokens=number(body, "max_tokens"),
        )

    def response(self, answer: Answer) -> JSON:
        """Spell the answer."""
        content: list[JSON] = []
        if answer.thinking:
            content.append({"type": "thinking", "thinking": answer.thinking})
        if answer.text:
            content.append({"type": "text", "text": answer.text})
        calls = [_tool_call(call, call.json) for call in answer.tool_calls]
        return {
            "id": answer.id,
            "finish_reason": _finish_reason(answer),
            "message": {
                "role": "assistant",
                "content": content,
                **({"tool_calls": calls} if calls else {}),
            },
            **answer.usage(_usage(answer)),
        }

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell a stream of events; the last one tells the usage."""

        def event(kind: str, message: JSON | None = None, **more: Any) -> bytes:
            delta = {} if message is None else {"delta": {"message": message}}
            return named_event(kind, {"type": kind, **more, **delta})

        tally = Tally(answer, shows_thinking=True)
        yield Event(event("message-start", {"role": "assistant"}, id=answer.id), tally.tokens)
        parts = [("thinking", answer.thinking), ("text", answer.text)]
        for index, (kind, text) in enumerate(part for part in parts if part[1]):
            content = {"type": kind, kind: ""}
            yield Event(event("content-start", {"content": content}, index=index))
            for piece in text_pieces(text):
                tokens = tally.thought(piece) if kind == "thinking" else tally.said(piece)
                data = event("content-delta", {"content": {kind: piece}}, index=index)
                yield Event(data, tokens, piece=True)
            yield Event(event("content-end", index=index))
        for index, call in enumerate(answer.tool_calls):
            begun = {"tool_calls": _tool_call(call, "")}
            yield Event(event("tool-call-start", begun, index=index), tally.said(call.name))
            for piece in argument_pieces(call.json):
                more = {"tool_calls": {"function": {"arguments": piece}}}
                data = event("tool-call-delta", more, index=index)
                yield Event(data, tally.said(piece), piece=True)
            yield Event(event("tool-call-end", index=index))
        ending = {"finish_reason": _finish_reason(answer), **answer.usage(_usage(answer))}
        last = named_event("message-end", {"type": "message-end", "delta": ending})
        yield Event(last, answer.tokens, answer.usage_state)

    def error_event(self, status: int, message: str) -> bytes:  # noqa: ARG002 - it is not told
        """Spell an error in the middle of a stream: the stream ends with it."""
        delta = {"finish_reason": "ERROR", "error": message}
        return named_event("message-end", {"type": "message-end", "delta": delta})


class ChatV1(_Cohere, StreamingDialect):
    """``POST /v1/chat``, which streams lines."""

    ids = Ids("cohere-response-", "call_")
    stream_type = "application/stream+json"

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        history = objects(body.get("chat_history"), "chat_history")
        turns = [
            Message("user" if turn.get("role") == "USER" else "assistant", str(turn.get("message")))
            for turn in history
        ]
        turns.append(Message("user", str(body["message"])))
        system = str(body.get("preamble") or "")
        return Asked(
            segments=[
                *([Segment(f"system: {system}\n")] if system else []),
                *(Segment(f"{turn.role}: {turn.text}\n") for turn in turns),
            ],
            model=str(body.get("model") or "command-r"),
            stream=bool(body.get("stream")),
            system=system,
            messages=tuple(turns),
            tools={},
            max_tokens=number(body, "max_tokens"),
        )

    def response(self, answer: Answer) -> JSON:
        """Spell the answer."""
        meta = answer.usage(_usage(answer), "meta").get("meta", {})
        return {
            "response_id": answer.id,
            "generation_id": answer.id,
            "text": answer.text,
            "chat_history": [],
            "finish_reason": _finish_reason(answer),
            "meta": {"api_version": {"version": "1"}, **meta},
        }

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell a stream of lines; the last one repeats the whole answer."""

        def line(kind: str, *, is_finished: bool = False, **members: Any) -> bytes:
            return encoded({"is_finished": is_finished, "event_type": kind, **members}) + b"\n"

        tally = Tally(answer, shows_thinking=False)
        yield Event(line("stream-start", generation_id=answer.id), tally.tokens)
        for piece in text_pieces(answer.text):
            yield Event(line("text-generation", text=piece), tally.said(piece), piece=True)
        whole = {"finish_reason": _finish_reason(answer), "response": self.response(answer)}
        last = line("stream-end", is_finished=True, **whole)
        yield Event(last, answer.tokens, answer.usage_state)

    def error_event(self, status: int, message: str) -> bytes:  # noqa: ARG002 - it is not told
        """Spell an error in the middle of a stream: the stream ends with it."""
        ending = {"finish_reason": "ERROR", "response": {"text": "", "message": message}}
        return encoded({"is_finished": True, "event_type": "stream-end", **ending}) + b"\n"


class Embeddings(_Cohere):
    """``POST /v2/embed`` and ``/v1/embed``."""

    operation = "embeddings"
    ids = Ids("cohere-embed-", "")

    def body(self, incoming: Incoming) -> JSON:
        """Put the version that the path names into the body."""
        return {**json_of(incoming.body), "version": incoming.place["version"]}

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        segments = [Segment(text) for text in _texts(body)]
        return Asked(segments=segments, model=model_of(body), tools={})

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:  # noqa: ARG002 - nothing is cached
        """Count the texts."""
        return Tokens(input_tokens=count_tokens(asked.prompt))

    def response(self, answer: Answer) -> JSON:
        """Spell the vectors."""
        body = answer.request.body
        texts = _texts(body)
        vectors = [vector(text, _DIMENSIONS) for text in texts]
        by_type = body["version"] == "2" or bool(body.get("embedding_types"))
        units = {"billed_units": {"input_tokens": answer.tokens.input_tokens}}
        return {
            "id": answer.id,
            "texts": texts,
            "response_type": "embeddings_by_type" if by_type else "embeddings_floats",
            "embeddings": {"float": vectors} if by_type else vectors,
            "meta": {
                "api_version": {"version": body["version"]},
                **answer.usage(units, "meta").get("meta", {}),
            },
        }


class Rerank(_Cohere):
    """``POST /v2/rerank`` and ``/v1/rerank``, charged by the search and not by tokens."""

    operation = "rerank"
    ids = Ids("cohere-rerank-", "")

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        segments = [Segment(str(body["query"])), *(Segment(text) for text in _documents(body))]
        return Asked(segments=segments, model=model_of(body), tools={})

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:  # noqa: ARG002 - nothing is counted
        """Count nothing."""
        return Tokens()

    def response(self, answer: Answer) -> JSON:
        """Rank the documents by the words that they share with the query."""
        body = answer.request.body
        query = vector(str(body["query"]), _DIMENSIONS)
        scores = [
            sum(a * b for a, b in zip(query, vector(text, _DIMENSIONS), strict=True))
            for text in _documents(body)
        ]
        order = sorted(range(len(scores)), key=lambda index: -scores[index])
        wanted = order[: number(body, "top_n") or len(order)]
        return {
            "id": answer.id,
            "results": [{"index": at, "relevance_score": max(0.0, scores[at])} for at in wanted],
            "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
        }


def _text(message: JSON) -> str:
    """Return what a message counts as: its text, then the tool calls it made."""
    made = [call.get("function", {}) for call in objects(message.get("tool_calls"), "tool_calls")]
    calls = [f"{function.get('name')}({function.get('arguments')})" for function in made]
    text = text_of(message.get("content"))
    return "\n".join([text, *calls] if text else calls)


def _output_schema(body: JSON) -> JSON | None:
    wanted = member(body, "response_format")
    if wanted.get("type") != "json_object":
        return None
    return wanted.get("json_schema") or wanted.get("schema") or {"type": "object"}


def _tool_call(call: ToolCall, arguments: str) -> JSON:
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _finish_reason(answer: Answer) -> Literal["TOOL_CALL", "MAX_TOKENS", "COMPLETE"]:
    if answer.tool_calls:
        return "TOOL_CALL"
    return "MAX_TOKENS" if answer.truncated else "COMPLETE"


def _usage(answer: Answer) -> JSON:
    """Spell the usage: what is charged for leaves out how the prompt was put together."""
    tokens = answer.tokens
    charged = sum(count_tokens(one.text) for one in answer.request.messages)
    return {
        "billed_units": {"input_tokens": charged, "output_tokens": tokens.output_tokens},
        "tokens": {"input_tokens": tokens.input_tokens, "output_tokens": tokens.output_tokens},
        "cached_tokens": tokens.cache_read_tokens,
    }


def _texts(body: JSON) -> list[str]:
    """Return the texts to embed, which version 2 may have as content."""
    if body.get("texts"):
        return [str(text) for text in body["texts"]]
    inputs = objects(body.get("inputs"), "inputs")
    if not inputs:
        raise BadRequestError("invalid request: at least one text is required")
    return [text_of(one.get("content")) for one in inputs]


def _documents(body: JSON) -> list[str]:
    given = cast("list[str | JSON]", body["documents"])
    return [one if isinstance(one, str) else json.dumps(one) for one in given]


def routes() -> list[Route]:
    """Return what this module answers."""
    return [
        Route("POST", "/v2/chat", Chat()),
        Route("POST", "/v1/chat", ChatV1()),
        Route("POST", "/v(?P<version>[12])/embed", Embeddings()),
        Route("POST", "/v[12]/rerank", Rerank()),
    ]
