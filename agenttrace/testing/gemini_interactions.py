"""Google's interactions: the same models as Gemini's content, asked in other words."""

from collections.abc import Iterator
from typing import Any, Literal, cast

from agenttrace.testing.gemini import Google
from agenttrace.testing.protocol import (
    Answer,
    Asked,
    BadRequestError,
    Event,
    Ids,
    Incoming,
    Route,
    StreamingDialect,
    Tally,
    compact,
    json_of,
    member,
    model_of,
    named_event,
    number,
    objects,
    text_of,
    text_pieces,
)
from agenttrace.testing.tokens import Segment
from agenttrace.testing.values import JSON, Message, Tokens


class Interactions(Google, StreamingDialect):
    """``POST /v1/interactions``: text in, text and calls of functions out."""

    operation = "generate_content"
    ids = Ids("interaction-", "call-")

    def body(self, incoming: Incoming) -> JSON:
        """Return the body, which names the model."""
        return json_of(incoming.body)

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        turns = _turns(body.get("input"))
        tools = [
            one for one in objects(body.get("tools"), "tools") if one.get("type") == "function"
        ]
        system = str(body.get("system_instruction") or "")
        return Asked(
            segments=[
                *(Segment(f"{compact(tool)}\n") for tool in tools),
                *([Segment(f"system: {system}\n")] if system else []),
                *(Segment(f"{turn.role}: {turn.text}\n") for turn in turns),
            ],
            model=model_of(body),
            stream=bool(body.get("stream")),
            system=system,
            messages=tuple(turns),
            tools={tool["name"]: tool.get("parameters", {}) for tool in tools},
            max_tokens=number(member(body, "generation_config"), "max_output_tokens"),
        )

    def response(self, answer: Answer) -> JSON:
        """Spell an interaction."""
        return {**_interaction(answer, answer.tokens), "steps": _steps(answer)}

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell a stream: its last event has the usage."""

        def event(kind: str, **members: Any) -> bytes:
            return named_event(kind, {"event_type": kind, **members})

        tally = Tally(answer, shows_thinking=False)
        begun = {"id": answer.id, "model": answer.model, "status": "in_progress"}
        yield Event(event("interaction.created", interaction=begun), tally.tokens)
        for index, step in enumerate(_steps(answer)):
            is_text = step["type"] == "model_output"
            empty: JSON = {"type": "model_output", "content": []} if is_text else step
            tokens = None if is_text else tally.said(step["name"] + compact(step["arguments"]))
            yield Event(event("step.start", index=index, step=empty), tokens, piece=not is_text)
            for piece in text_pieces(answer.text) if is_text else ():
                delta = {"type": "text", "text": piece}
                data = event("step.delta", index=index, delta=delta)
                yield Event(data, tally.said(piece), piece=True)
            yield Event(event("step.stop", index=index))
        last = event("interaction.completed", interaction=_interaction(answer, answer.tokens))
        yield Event(last, answer.tokens, answer.usage_state)

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream."""
        error = {"code": str(status), "message": message}
        return named_event("error", {"event_type": "error", "error": error})


def _turns(given: Any) -> list[Message]:
    """Return the turns of an input: text, or a list of contents or of steps."""
    if isinstance(given, str):
        return [Message("user", given)]
    parts = objects(cast("object", given if isinstance(given, list) else [given]), "input")
    if not parts:
        raise BadRequestError("input is not specified")
    return [_turn(part) for part in parts]


def _turn(part: JSON) -> Message:
    match part:
        case {"type": "function_call", "name": name}:
            return Message("assistant", f"{name}({compact(part.get('arguments') or {})})")
        case {"type": "function_result"}:
            return Message("tool", compact(part.get("result")))
        case {"type": "user_input" | "model_output" as kind}:
            role: Literal["user", "assistant"] = "user" if kind == "user_input" else "assistant"
            return Message(role, text_of(part.get("content")))
        case _:
            return Message("user", text_of([part]))


def _steps(answer: Answer) -> list[JSON]:
    said: list[JSON] = []
    if answer.text:
        content = [{"type": "text", "text": answer.text}]
        said.append({"type": "model_output", "content": content})
    for call in answer.tool_calls:
        arguments = json_of(call.json.encode())
        step = {"type": "function_call", "id": call.id, "name": call.name, "arguments": arguments}
        said.append(step)
    return said


def _interaction(answer: Answer, tokens: Tokens) -> JSON:
    return {
        "id": answer.id,
        "model": answer.model,
        "object": "interaction",
        "status": "requires_action" if answer.tool_calls else "completed",
        "created": "2026-01-01T00:00:00Z",
        "updated": "2026-01-01T00:00:00Z",
        **answer.usage(_usage(tokens)),
    }


def _usage(tokens: Tokens) -> JSON:
    return {
        "total_input_tokens": tokens.input_tokens,
        "total_cached_tokens": tokens.cache_read_tokens,
        "total_output_tokens": tokens.output_tokens - tokens.reasoning_tokens,
        "total_thought_tokens": tokens.reasoning_tokens,
        "total_tool_use_tokens": 0,
        "total_tokens": tokens.input_tokens + tokens.output_tokens,
    }


def routes() -> list[Route]:
    """Return what this module answers."""
    return [Route("POST", "/v1(?:beta)?/interactions", Interactions())]
