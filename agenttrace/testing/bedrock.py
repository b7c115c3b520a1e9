"""Amazon Bedrock: converse, and invoke for the models of Anthropic, of Meta and for embeddings."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import unquote

from agenttrace.testing import eventstream
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
    argument_pieces,
    compact,
    encoded,
    json_of,
    member,
    number,
    objects,
    text_pieces,
    understood,
)
from agenttrace.testing.tokens import PromptCache, Segment, count_tokens
from agenttrace.testing.values import JSON, Message, Tokens, ToolCall

_ERRORS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
_DIMENSIONS = 256


class _Bedrock(Dialect):
    provider = "aws.bedrock"
    request_id = "x-amzn-requestid"

    def body(self, incoming: Incoming) -> JSON:
        """Put the model that the path names, and whether it asks for a stream, into the body."""
        model = unquote(incoming.place["model"])
        return {
            **json_of(incoming.body),
            "model": model,
            "stream": incoming.path.endswith("-stream"),
        }

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        return {"__type": _error_name(status), "message": message}


class _Streaming(_Bedrock, StreamingDialect):
    stream_type = eventstream.CONTENT_TYPE

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream."""
        name = _error_name(status)
        return eventstream.exception(name[0].lower() + name[1:], encoded({"message": message}))


class Converse(_Streaming):
    """``POST /model/{model}/converse`` and ``…/converse-stream``."""

    ids = Ids("", "tooluse_")

    def read(self, body: JSON) -> Asked:
        """Understand a request; a ``cachePoint`` marks what is to be cached before it."""
        messages = objects(body.get("messages"), "messages")
        if not messages:
            raise BadRequestError("A conversation must start with a user message.")
        offered = objects(member(body, "toolConfig").get("tools"), "tools")
        specs = [tool["toolSpec"] for tool in offered if "toolSpec" in tool]
        schemas = {spec["name"]: member(spec, "inputSchema").get("json", {}) for spec in specs}
        system = [{**block, "role": "system"} for block in objects(body.get("system"), "system")]
        turns = [
            {**block, "role": message.get("role")}
            for message in messages
            for block in objects(message.get("content"), "content")
        ]
        said = [block for block in turns if "cachePoint" not in block]
        return Asked(
            segments=_marked([*offered, *system, *turns]),
            model=body["model"],
            stream=bool(body.get("stream")),
            system="\n".join(_text(block) for block in system if "cachePoint" not in block),
            messages=tuple(Message(_role(block), _text(block)) for block in said),
            tools=schemas,
            must_call=_forced_tool(member(member(body, "toolConfig"), "toolChoice"), schemas),
            max_tokens=number(member(body, "inferenceConfig"), "maxTokens"),
        )

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:
        """Count the input; only what is marked is cached."""
        return cache.explicit(asked.model, asked.segments)

    def count_page(self, _desk: Desk, incoming: Incoming) -> Sent:
        """Say how many tokens a prompt has; no model works on it."""
        try:
            body = self.body(incoming)
            wanted = member(member(body, "input"), "converse")
            asked = understood(self, {**wanted, "model": body["model"]})
        except BadRequestError as error:
            return Sent(400, self.error(400, str(error)))
        return Sent(200, {"inputTokens": count_tokens(asked.prompt)})

    def response(self, answer: Answer) -> JSON:
        """Spell the whole turn."""
        content = [_block(part) for part in _content(answer)]
        return {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": _stop_reason(answer),
            **answer.usage(_usage(answer.tokens)),
            "metrics": {"latencyMs": 1},
        }

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell a stream: its last event tells the usage."""

        def event(name: str, **members: Any) -> bytes:
            return eventstream.event(name, encoded(members))

        tally = Tally(answer, shows_thinking=True)
        yield Event(event("messageStart", role="assistant"), tally.tokens)
        for index, part in enumerate(_content(answer)):
            if isinstance(part, ToolCall):
                start = {"toolUse": {"toolUseId": part.id, "name": part.name}}
                data = event("contentBlockStart", start=start, contentBlockIndex=index)
                yield Event(data, tally.said(part.name))
            for delta, piece in _deltas(part):
                is_thought = "reasoningContent" in delta
                tokens = tally.thought(piece) if is_thought else tally.said(piece)
                data = event("contentBlockDelta", delta=delta, contentBlockIndex=index)
                yield Event(data, tokens, piece=True)
            yield Event(event("contentBlockStop", contentBlockIndex=index))
        yield Event(event("messageStop", stopReason=_stop_reason(answer)), answer.tokens)
        usage = answer.usage(_usage(answer.tokens))
        yield Event(event("metadata", **usage, metrics={"latencyMs": 1}), usage=answer.usage_state)


class InvokeAnthropic(_Streaming):
    """``POST /model/{model}/invoke`` of Anthropic's models: their own protocol, in frames."""

    ids = Ids("msg_bdrk_", "toolu_bdrk_")

    def __init__(self) -> None:
        self._messages = Messages()

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        return self._messages.read(body)

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:
        """Count the input; only what is marked is cached."""
        return self._messages.count(cache, asked)

    def response(self, answer: Answer) -> JSON:
        """Spell a message."""
        return self._messages.response(answer)

    def headers(self, answer: Answer) -> Mapping[str, str]:
        """Tell Bedrock's own counts."""
        return _counting_headers(answer)

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell the events of a stream, the last one with Bedrock's own counts."""
        for event in self._messages.events(answer):
            payload: dict[str, Any] = json.loads(event.data.partition(b"data: ")[2])
            if payload["type"] == "message_stop":
                payload |= _metrics(answer)
            yield replace(event, data=_chunk(payload))


class InvokeLlama(_Streaming):
    """The same of the models of Meta, and of those of whom nothing else is known here."""

    operation = "text_completion"

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        prompt = body.get("prompt")
        if not isinstance(prompt, str):
            raise BadRequestError("required key [prompt] not found")
        return Asked(
            segments=[Segment(prompt)],
            model=body["model"],
            stream=bool(body.get("stream")),
            messages=(Message("user", prompt),),
            tools={},
            max_tokens=number(body, "max_gen_len"),
        )

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:  # noqa: ARG002 - nothing is cached
        """Count the input."""
        return Tokens(input_tokens=count_tokens(asked.prompt))

    def response(self, answer: Answer) -> JSON:
        """Spell a generation."""
        counts = {
            "prompt_token_count": answer.tokens.input_tokens,
            "generation_token_count": answer.tokens.output_tokens,
        }
        told = answer.usage(counts).get("usage", {})
        reason = "length" if answer.truncated else "stop"
        return {"generation": answer.text, **told, "stop_reason": reason}

    def headers(self, answer: Answer) -> Mapping[str, str]:
        """Tell Bedrock's own counts."""
        return _counting_headers(answer)

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell the events of a stream, the last one with Bedrock's own counts."""
        tally = Tally(answer, shows_thinking=False)
        for piece in text_pieces(answer.text):
            yield Event(
                _chunk({"generation": piece, "stop_reason": None}), tally.said(piece), piece=True
            )
        reason = "length" if answer.truncated else "stop"
        last = {"generation": "", "stop_reason": reason, **_metrics(answer)}
        yield Event(_chunk(last), answer.tokens, answer.usage_state)


class Embeddings(_Bedrock):
    """``POST /model/{model}/invoke`` of Amazon's models for embeddings."""

    operation = "embeddings"

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        return Asked(segments=[Segment(str(body["inputText"]))], model=body["model"], tools={})

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:  # noqa: ARG002 - nothing is cached
        """Count the text."""
        return Tokens(input_tokens=count_tokens(asked.prompt))

    def response(self, answer: Answer) -> JSON:
        """Spell the vector."""
        told = answer.usage({"inputTextTokenCount": answer.tokens.input_tokens}).get("usage", {})
        return {"embedding": vector(answer.request.prompt, _DIMENSIONS), **told}


def _error_name(status: int) -> str:
    return _ERRORS.get(status, "InternalServerException")


def _marked(blocks: Sequence[JSON]) -> list[Segment]:
    """Return the prompt; a mark belongs to what is before it."""
    segments: list[Segment] = []
    for block in blocks:
        if "cachePoint" not in block:
            role = f"{block['role']}: " if "role" in block else ""
            text = _text(block) if "role" in block else compact(block["toolSpec"])
            segments.append(Segment(f"{role}{text}\n"))
        elif segments:
            kept = "1h" if block["cachePoint"].get("ttl") == "1h" else "5m"
            segments[-1] = replace(segments[-1], cache=kept)
    return segments


def _text(block: JSON) -> str:
    match block:
        case {"text": str(text)}:
            return text
        case {"toolUse": {"name": name, **use}}:
            return f"{name}({compact(use.get('input'))})"
        case {"toolResult": {"content": content}}:
            return "\n".join(part["text"] if "text" in part else compact(part) for part in content)
        case {"reasoningContent": {"reasoningText": {"text": str(text)}}}:
            return text
        case _:
            return f"[{next(iter(block), 'block')}]"


def _role(block: JSON) -> Literal["user", "assistant", "tool"]:
    if "toolResult" in block:
        return "tool"
    return "assistant" if block["role"] == "assistant" else "user"


def _forced_tool(choice: JSON, tools: JSON) -> str:
    if "any" in choice:
        return next(iter(tools), "")
    return str(member(choice, "tool").get("name", ""))


def _stop_reason(answer: Answer) -> str:
    if answer.tool_calls:
        return "tool_use"
    return "max_tokens" if answer.truncated else "end_turn"


_Part = tuple[Literal["thinking", "text"], str] | ToolCall


def _content(answer: Answer) -> list[_Part]:
    """Return the content: thinking, text, then the tool calls."""
    parts: list[_Part] = []
    if answer.thinking:
        parts.append(("thinking", answer.thinking))
    if answer.text:
        parts.append(("text", answer.text))
    return [*parts, *answer.tool_calls]


def _block(part: _Part) -> JSON:
    if isinstance(part, ToolCall):
        try:
            arguments = json.loads(part.json)
        except ValueError:
            arguments = {"INVALID_JSON": part.json}
        return {"toolUse": {"toolUseId": part.id, "name": part.name, "input": arguments}}
    kind, text = part
    return (
        {"text": text}
        if kind == "text"
        else {"reasoningContent": {"reasoningText": {"text": text}}}
    )


def _deltas(part: _Part) -> Iterator[tuple[JSON, str]]:
    """Yield each delta of a part, and its text."""
    if isinstance(part, ToolCall):
        for piece in argument_pieces(part.json):
            yield {"toolUse": {"input": piece}}, piece
        return
    kind, text = part
    for piece in text_pieces(text):
        yield ({"text": piece} if kind == "text" else {"reasoningContent": {"text": piece}}), piece


def _usage(tokens: Tokens) -> JSON:
    """Spell the usage: here the input is what the cache had no part in."""
    hour = tokens.cache_write_1h_tokens
    written = [("5m", tokens.cache_write_tokens - hour), ("1h", hour)]
    return {
        "inputTokens": tokens.uncached_tokens,
        "outputTokens": tokens.output_tokens,
        "totalTokens": tokens.input_tokens + tokens.output_tokens,
        "cacheReadInputTokens": tokens.cache_read_tokens,
        "cacheWriteInputTokens": tokens.cache_write_tokens,
        "cacheDetails": [{"ttl": ttl, "inputTokens": count} for ttl, count in written if count],
    }


def _metrics(answer: Answer) -> JSON:
    tokens = answer.tokens
    counts = {
        "inputTokenCount": tokens.uncached_tokens,
        "outputTokenCount": tokens.output_tokens,
        "cacheReadInputTokenCount": tokens.cache_read_tokens,
        "cacheWriteInputTokenCount": tokens.cache_write_tokens,
        "invocationLatency": 1,
        "firstByteLatency": 1,
    }
    return answer.usage(counts, "amazon-bedrock-invocationMetrics")


def _counting_headers(answer: Answer) -> Mapping[str, str]:
    if answer.usage_state != "reported":
        return {}
    tokens = answer.tokens
    return {
        "x-amzn-bedrock-input-token-count": str(tokens.uncached_tokens),
        "x-amzn-bedrock-output-token-count": str(tokens.output_tokens),
        "x-amzn-bedrock-cache-read-input-token-count": str(tokens.cache_read_tokens),
        "x-amzn-bedrock-cache-write-input-token-count": str(tokens.cache_write_tokens),
    }


def _chunk(payload: JSON) -> bytes:
    """Return a frame with an event of the vendor's, in base64."""
    return eventstream.event(
        "chunk", encoded({"bytes": base64.b64encode(encoded(payload)).decode()})
    )


_INVOKE = "/invoke(?:-with-response-stream)?"


def routes() -> list[Route]:
    """Return what this module answers."""
    converse = Converse()
    return [
        Route("POST", "/model/(?P<model>.+)/converse(?:-stream)?", converse),
        Route("POST", "/model/(?P<model>.+)/count-tokens", converse.count_page),
        Route("POST", f"/model/(?P<model>.*anthropic.*){_INVOKE}", InvokeAnthropic()),
        Route("POST", "/model/(?P<model>.*embed.*)/invoke", Embeddings()),
        Route("POST", f"/model/(?P<model>.+){_INVOKE}", InvokeLlama()),
    ]
