"""Anthropic's messages."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Literal, cast

from agenttrace.testing.protocol import (
    Answer,
    Asked,
    BadRequestError,
    Desk,
    Event,
    Ids,
    Incoming,
    Route,
    Sent,
    StreamingDialect,
    Tally,
    argument_pieces,
    compact,
    member,
    model_of,
    named_event,
    number,
    objects,
    text_of,
    text_pieces,
    understood,
)
from agenttrace.testing.tokens import Lifetime, PromptCache, Segment, count_tokens
from agenttrace.testing.values import JSON, Message, Tokens, ToolCall

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Messages(StreamingDialect):
    """``POST /v1/messages``."""

    provider = "anthropic"
    ids = Ids("msg_", "toolu_")
    request_id = "request-id"
    tells_inner = True

    def read(self, body: JSON) -> Asked:
        """Understand a request; ``cache_control`` marks what is to be cached."""
        messages = objects(body.get("messages"), "messages")
        if not messages:
            raise BadRequestError("messages: at least one message is required")
        tools = objects(body.get("tools"), "tools")
        system = [{**block, "role": "system"} for block in _blocks(body.get("system"))]
        turns = [
            {**block, "role": message.get("role", "user")}
            for message in messages
            for block in _blocks(message.get("content"))
        ]
        schemas = {tool["name"]: tool.get("input_schema", {}) for tool in tools}
        segments = [
            *(Segment(f"{_without_mark(tool)}\n", _lifetime(tool)) for tool in tools),
            *(
                Segment(f"{block['role']}: {_text(block)}\n", _lifetime(block))
                for block in (*system, *turns)
            ),
        ]
        if "cache_control" in body:  # Marks the last block, wherever it is.
            segments[-1] = Segment(segments[-1].text, _lifetime(body))
        return Asked(
            segments=segments,
            model=model_of(body),
            stream=bool(body.get("stream")),
            system="\n".join(_text(block) for block in system),
            messages=tuple(Message(_role(block), _text(block)) for block in turns),
            tools=schemas,
            must_call=_forced_tool(body.get("tool_choice"), schemas),
            output_schema=_output_schema(body),
            max_tokens=number(body, "max_tokens"),
        )

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:
        """Count the input; only what is marked is cached."""
        return cache.explicit(asked.model, asked.segments)

    def count_page(self, _desk: Desk, incoming: Incoming) -> Sent:
        """Say how many tokens a prompt has; no model works on it."""
        try:
            asked = understood(self, self.body(incoming))
        except BadRequestError as error:
            return Sent(400, self.error(400, str(error)))
        return Sent(200, {"input_tokens": count_tokens(asked.prompt)})

    def response(self, answer: Answer) -> JSON:
        """Spell a message."""
        return {
            **_envelope(answer),
            "content": [_block(one) for one in _content(answer)],
            "stop_reason": _stop_reason(answer),
            **answer.usage(_whole_usage(answer)),
        }

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell a stream: input usage comes first, output usage last, and is cumulative."""

        def event(name: str, **members: Any) -> bytes:
            return named_event(name, {"type": name, **members})

        tally = Tally(answer, shows_thinking=True)
        reported = answer.reply.usage == "reported"
        first = {**_usage(answer.tokens), "output_tokens": 1}
        del first["output_tokens_details"]
        start: dict[str, Any] = {
            **_envelope(answer),
            "content": [],
            "stop_reason": None,
            **answer.usage(first),
        }
        yield Event(
            event("message_start", message=start),
            tally.tokens,
            "partial" if reported else "missing",
        )
        yield Event(event("ping"))
        for index, one in enumerate(_content(answer)):
            block = _block(one, empty=True)
            yield Event(event("content_block_start", index=index, content_block=block))
            if isinstance(one, ToolCall):
                tally.said(one.name)
            for kind, name, piece in _deltas(one):
                tokens = tally.thought(piece) if name == "thinking" else tally.said(piece)
                delta = {"type": kind, name: piece}
                yield Event(
                    event("content_block_delta", index=index, delta=delta), tokens, piece=True
                )
            if block["type"] == "thinking":
                delta = {"type": "signature_delta", "signature": _SIGNATURE}
                yield Event(event("content_block_delta", index=index, delta=delta))
            yield Event(event("content_block_stop", index=index))
        yield Event(
            event(
                "message_delta",
                delta={"stop_reason": _stop_reason(answer), "stop_sequence": None},
                **answer.usage(_whole_usage(answer)),
            ),
            answer.tokens,
            answer.usage_state,
        )
        yield Event(event("message_stop"))

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        kind = _ERRORS.get(
            status,
            "api_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error",
        )
        return {"type": "error", "error": {"type": kind, "message": message}}

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream."""
        return named_event("error", self.error(status, message))


_SIGNATURE = "c2lnbmF0dXJl"


def _blocks(content: object) -> list[JSON]:
    """Return the blocks of a content: text is one block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return objects(content, "content")


def _text(block: JSON) -> str:
    match block.get("type"):
        case "tool_use":
            return f"{block.get('name')}({compact(block.get('input'))})"
        case "tool_result":
            return text_of(block.get("content"))
        case "thinking":
            return str(block.get("thinking"))
        case _:
            return text_of([block])


def _role(block: JSON) -> Literal["user", "assistant", "tool"]:
    if block.get("type") == "tool_result":
        return "tool"
    return "assistant" if block["role"] == "assistant" else "user"


def _without_mark(tool: JSON) -> str:
    """Return a tool as it is counted: marking it for the cache does not make it longer."""
    return compact({name: value for name, value in tool.items() if name != "cache_control"})


def _lifetime(marked: JSON) -> Lifetime:
    control = cast("JSON | None", marked.get("cache_control"))
    if not control:
        return ""
    return "1h" if control.get("ttl") == "1h" else "5m"


def _forced_tool(choice: object, tools: JSON) -> str:
    match choice:
        case {"type": "any"}:
            return next(iter(tools), "")
        case {"type": "tool", "name": str(name)}:
            return name
        case _:
            return ""


def _output_schema(body: JSON) -> JSON | None:
    """Return the schema asked for; betas had it at the top level."""
    wanted = member(member(body, "output_config"), "format") or member(body, "output_format")
    return wanted.get("schema")


def _envelope(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "stop_sequence": None,
    }


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


def _block(part: _Part, *, empty: bool = False) -> dict[str, Any]:
    """Spell a part whole, or as it is when it begins."""
    if isinstance(part, ToolCall):
        arguments: JSON = {} if empty else _arguments(part)
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments}
    kind, text = part
    signature = {"signature": "" if empty else _SIGNATURE} if kind == "thinking" else {}
    return {"type": kind, kind: "" if empty else text, **signature}


def _arguments(call: ToolCall) -> JSON:
    """Return a tool's input; text that is no JSON is wrapped, for the field is an object."""
    try:
        value = json.loads(call.json)
    except ValueError:
        return {"INVALID_JSON": call.json}
    return value


def _deltas(part: _Part) -> Iterator[tuple[str, str, str]]:
    """Yield (type, member, piece) of each delta of a part."""
    if isinstance(part, ToolCall):
        for piece in argument_pieces(part.json):
            yield "input_json_delta", "partial_json", piece
        return
    kind, text = part
    for piece in text_pieces(text):
        yield f"{kind}_delta", kind, piece


def _whole_usage(answer: Answer) -> dict[str, Any]:
    """Spell the usage; what the provider did on its own is told beside the message's own."""
    usage = _usage(answer.tokens)
    if not answer.reply.inner:
        return usage
    iterations: list[JSON] = [
        {
            "type": one.kind,
            **({"model": one.model} if one.model else {}),
            **_usage(one.tokens),
        }
        for one in answer.reply.inner
    ]
    return {**usage, "iterations": [*iterations, {"type": "message", **usage}]}


def _usage(tokens: Tokens) -> dict[str, Any]:
    """Spell the usage: here the input is what the cache had no part in."""
    hour = tokens.cache_write_1h_tokens
    return {
        "input_tokens": tokens.uncached_tokens,
        "cache_creation_input_tokens": tokens.cache_write_tokens,
        "cache_read_input_tokens": tokens.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_tokens - hour,
            "ephemeral_1h_input_tokens": hour,
        },
        "output_tokens": tokens.output_tokens,
        "output_tokens_details": {"thinking_tokens": tokens.reasoning_tokens},
    }


def routes() -> list[Route]:
    """Return what this module answers."""
    messages = Messages()
    return [
        Route("POST", "/v1/messages", messages),
        Route("POST", "/v1/messages/count_tokens", messages.count_page),
    ]
