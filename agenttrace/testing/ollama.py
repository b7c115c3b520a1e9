"""Ollama's own protocol: chat, generate and embeddings, streamed as lines of JSON."""

import json
from collections.abc import Iterator
from typing import Any, cast

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
    encoded,
    member,
    model_of,
    number,
    objects,
    text_pieces,
)
from agenttrace.testing.tokens import PromptCache, Segment, count_tokens
from agenttrace.testing.values import JSON, Message, Tokens, ToolCall

_DIMENSIONS = 256
_MOMENT = "2026-01-01T00:00:00Z"


class _Ollama(Dialect):
    provider = "ollama"
    ids = Ids("", "call_")

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:  # noqa: ARG002 - nothing is billed less
        """Count the input."""
        return Tokens(input_tokens=count_tokens(asked.prompt))

    def error(self, status: int, message: str) -> JSON:  # noqa: ARG002 - it is not told
        """Spell an error."""
        return {"error": message}


class Chat(_Ollama, StreamingDialect):
    """``POST /api/chat``, which streams if it is not told otherwise."""

    stream_type = "application/x-ndjson"

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        messages = objects(body.get("messages"), "messages")
        functions = [tool.get("function", {}) for tool in objects(body.get("tools"), "tools")]
        texts = [(message.get("role", "user"), _text(message)) for message in messages]
        return Asked(
            segments=[
                *(Segment(f"{compact(function)}\n") for function in functions),
                *(Segment(f"{role}: {text}\n") for role, text in texts),
            ],
            model=model_of(body),
            stream=body.get("stream") is not False,
            system="\n".join(text for role, text in texts if role == "system"),
            messages=tuple(Message(role, text) for role, text in texts if role != "system"),
            tools={function["name"]: function.get("parameters", {}) for function in functions},
            output_schema=_output_schema(body),
            max_tokens=number(member(body, "options"), "num_predict"),
        )

    def response(self, answer: Answer) -> JSON:
        """Spell the whole answer."""
        thinking = {"thinking": answer.thinking} if answer.thinking else {}
        calls = [_tool_call(call) for call in answer.tool_calls]
        said = self.said(answer.text, **thinking, **({"tool_calls": calls} if calls else {}))
        return {**_begun(answer), **said, **_ending(answer)}

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell a stream of lines; the last one tells the counts."""

        def line(said: JSON) -> bytes:
            return encoded({**_begun(answer), **said, "done": False}) + b"\n"

        tally = Tally(answer, shows_thinking=True)
        for piece in text_pieces(answer.thinking):
            yield Event(line(self.said("", thinking=piece)), tally.thought(piece), piece=True)
        for piece in text_pieces(answer.text):
            yield Event(line(self.said(piece)), tally.said(piece), piece=True)
        for call in answer.tool_calls:
            data = line(self.said("", tool_calls=[_tool_call(call)]))
            yield Event(data, tally.said(call.name + call.json), piece=True)
        last = encoded({**_begun(answer), **self.said(""), **_ending(answer)}) + b"\n"
        yield Event(last, answer.tokens, answer.usage_state)

    def said(self, text: str, **more: Any) -> JSON:
        """Spell a part of the answer."""
        return {"message": {"role": "assistant", "content": text, **more}}

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream."""
        return encoded(self.error(status, message)) + b"\n"


class Generate(Chat):
    """``POST /api/generate``."""

    operation = "text_completion"

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        system, prompt = str(body.get("system") or ""), str(body.get("prompt") or "")
        return Asked(
            segments=[
                *([Segment(f"system: {system}\n")] if system else []),
                Segment(f"user: {prompt}\n"),
            ],
            model=model_of(body),
            stream=body.get("stream") is not False,
            system=system,
            messages=(Message("user", prompt),),
            tools={},
            output_schema=_output_schema(body),
            max_tokens=number(member(body, "options"), "num_predict"),
        )

    def said(self, text: str, **more: Any) -> JSON:
        """Spell a part of the answer, which has no tool calls here."""
        return {"response": text, **{name: more[name] for name in more if name == "thinking"}}


class Embeddings(_Ollama):
    """``POST /api/embed``."""

    operation = "embeddings"

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        segments = [Segment(text) for text in _inputs(body)]
        return Asked(segments=segments, model=model_of(body), tools={})

    def response(self, answer: Answer) -> JSON:
        """Spell the vectors."""
        texts = _inputs(answer.request.body)
        counts = {"prompt_eval_count": answer.tokens.input_tokens}
        return {
            "model": answer.model,
            "embeddings": [vector(text, _DIMENSIONS) for text in texts],
            **answer.usage(counts).get("usage", {}),
        }


def _version(_desk: Desk, _incoming: Incoming) -> Sent:
    return Sent(200, {"version": "0.32.0"})


def _text(message: JSON) -> str:
    """Return what a message counts as: its text, pictures and the tool calls it made."""
    made = [call.get("function", {}) for call in objects(message.get("tool_calls"), "tool_calls")]
    calls = [f"{function.get('name')}({compact(function.get('arguments'))})" for function in made]
    text = str(message.get("content") or "")
    pictures = ["[image]" for _ in message.get("images") or ()]
    return "\n".join([*([text] if text else []), *pictures, *calls])


def _output_schema(body: JSON) -> JSON | None:
    wanted = body.get("format")
    if wanted == "json":
        return {"type": "object"}
    return cast("JSON", wanted) if isinstance(wanted, dict) else None


def _tool_call(call: ToolCall) -> JSON:
    try:
        arguments = json.loads(call.json)
    except ValueError:
        arguments = {"INVALID_JSON": call.json}
    return {"function": {"name": call.name, "arguments": arguments}}


def _begun(answer: Answer) -> JSON:
    return {"model": answer.model, "created_at": _MOMENT}


def _ending(answer: Answer) -> JSON:
    counts = {
        "prompt_eval_count": answer.tokens.input_tokens,
        "eval_count": answer.tokens.output_tokens,
    }
    return {
        "done": True,
        "done_reason": "length" if answer.truncated else "stop",
        "total_duration": 2_000_000,
        "load_duration": 1_000_000,
        **answer.usage(counts).get("usage", {}),
    }


def _inputs(body: JSON) -> list[str]:
    given = body.get("input")
    texts = [given] if isinstance(given, str) else cast("list[str]", given or [])
    if not texts:
        raise BadRequestError("input must be text, or a list that is not empty")
    return texts


def routes() -> list[Route]:
    """Return what this module answers."""
    return [
        Route("POST", "/api/chat", Chat()),
        Route("POST", "/api/generate", Generate()),
        Route("POST", "/api/embed", Embeddings()),
        Route("GET", "/api/version", _version),
    ]
