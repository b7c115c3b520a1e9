"""OpenAI's Responses API."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any, Literal

from agenttrace.testing import openai
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
)
from agenttrace.testing.tokens import Segment
from agenttrace.testing.values import JSON, Message, Tokens, ToolCall
from agenttrace.testing.websocket import Socket

_SYSTEM_ROLES = ("system", "developer")


class _Memory:
    """The responses so far, however they were asked for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.finished: dict[str, JSON] = {}
        self.context: dict[str, list[tuple[str, str]]] = {}


class Responses(StreamingDialect):
    """``POST /v1/responses``; it remembers each response, to continue from it or to poll it."""

    provider = "openai"
    ids = Ids("resp_", "call_")

    def __init__(self, memory: _Memory) -> None:
        self._memory = memory

    def read(self, body: JSON) -> Asked:
        """Understand a request; what it continues counts as input once more."""
        functions = [
            tool for tool in objects(body.get("tools"), "tools") if tool.get("type") == "function"
        ]
        tools = {function["name"]: member(function, "parameters") for function in functions}
        instructions = text_of(body.get("instructions"))
        turns = self._turns(body)
        if not turns:
            raise BadRequestError("input must not be empty")
        member(body, "reasoning")  # Refuses nonsense now rather than in mid-stream.
        system = [instructions] if instructions else []
        lines = [*(("system", text) for text in system), *turns]
        return Asked(
            segments=[
                *(Segment(f"{compact(function)}\n") for function in functions),
                *(Segment(f"{role}: {text}\n") for role, text in lines),
            ],
            model=model_of(body),
            stream=bool(body.get("stream")),
            system="\n".join([*system, *(text for role, text in turns if role in _SYSTEM_ROLES)]),
            messages=tuple(
                Message(_role(role), text) for role, text in turns if role not in _SYSTEM_ROLES
            ),
            tools=tools,
            must_call=openai.forced_tool(body.get("tool_choice"), tools),
            output_schema=_output_schema(member(member(body, "text"), "format")),
            max_tokens=number(body, "max_output_tokens"),
        )

    def _turns(self, body: JSON) -> list[tuple[str, str]]:
        """Return (role, text) of the input, after what it continues; instructions are not in it."""
        before: list[tuple[str, str]] = []
        if previous := body.get("previous_response_id"):
            with self._memory.lock:
                if previous not in self._memory.context:
                    raise BadRequestError(f"Previous response with id '{previous}' not found.")
                before = self._memory.context[previous]
        given = body.get("input")
        if isinstance(given, str):
            return [*before, ("user", given)]
        return [*before, *(_turn(item) for item in objects(given, "input"))]

    def response(self, answer: Answer) -> JSON:
        """Spell a response; one in the background begins as queued and says no usage yet."""
        whole = self._finish(answer)
        if answer.request.body.get("background"):
            return _response(answer, status="queued", output=[], usage=False)
        return whole

    def _finish(self, answer: Answer) -> JSON:
        whole = _response(answer, status=_status(answer), output=_output(answer), usage=True)
        said = [("assistant", one) for one in _said(answer)]
        turns = [*self._turns(answer.request.body), *said]
        with self._memory.lock:
            self._memory.finished[answer.id] = whole
            self._memory.context[answer.id] = turns
        return whole

    def retrieve(self, desk: Desk, incoming: Incoming) -> Sent:
        """Show a finished response: retrieving it is no new call."""
        response_id = incoming.place["id"]
        with self._memory.lock:
            found = self._memory.finished.get(response_id)
        if found is None:
            return Sent(404, self.error(404, f"Response with id '{response_id}' not found."))
        # Who started it in the background learns here what it cost.
        desk.told(response_id)
        return Sent(200, found)

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell the response as named events, numbered."""
        sequence = itertools.count()

        def event(kind: str, /, **members: Any) -> bytes:
            return named_event(kind, {"type": kind, "sequence_number": next(sequence), **members})

        tally = Tally(answer, shows_thinking=_shows_thinking(answer))
        begun = _response(answer, status="in_progress", output=[], usage=False)
        yield Event(event("response.created", response=begun), tally.tokens)
        yield Event(event("response.in_progress", response=begun))
        output = _output(answer)
        for index, item in enumerate(output):
            yield Event(event("response.output_item.added", output_index=index, item=_empty(item)))
            at = {"item_id": item["id"], "output_index": index}
            match item["type"]:
                case "reasoning":
                    for summary_index, part in enumerate(item["summary"]):
                        place = {**at, "summary_index": summary_index}
                        kind = "response.reasoning_summary"
                        empty = {**part, "text": ""}
                        yield Event(event(f"{kind}_part.added", **place, part=empty))
                        for piece in text_pieces(part["text"]):
                            yield Event(
                                event(f"{kind}_text.delta", **place, delta=piece),
                                tally.thought(piece),
                                piece=True,
                            )
                        yield Event(event(f"{kind}_text.done", **place, text=part["text"]))
                        yield Event(event(f"{kind}_part.done", **place, part=part))
                case "message":
                    place = {**at, "content_index": 0}
                    part = item["content"][0]
                    empty = {**part, "text": ""}
                    yield Event(event("response.content_part.added", **place, part=empty))
                    kind = "response.output_text"
                    for piece in text_pieces(answer.text):
                        yield Event(
                            event(f"{kind}.delta", **place, delta=piece, logprobs=[]),
                            tally.said(piece),
                            piece=True,
                        )
                    yield Event(event(f"{kind}.done", **place, text=part["text"], logprobs=[]))
                    yield Event(event("response.content_part.done", **place, part=part))
                case _:
                    kind = "response.function_call_arguments"
                    tally.said(item["name"])
                    for piece in argument_pieces(item["arguments"]):
                        yield Event(
                            event(f"{kind}.delta", **at, delta=piece),
                            tally.said(piece),
                            piece=True,
                        )
                    yield Event(
                        event(f"{kind}.done", **at, name=item["name"], arguments=item["arguments"])
                    )
            yield Event(event("response.output_item.done", output_index=index, item=item))
        name = "response.incomplete" if answer.truncated else "response.completed"
        whole = self._finish(answer)
        yield Event(event(name, response=whole), answer.tokens, answer.usage_state)

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        return openai.error(status, message)

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a stream."""
        inner = openai.error(status, message)["error"]
        code = inner["code"] or inner["type"]
        return named_event(
            "error",
            {
                "type": "error",
                "code": code,
                "message": message,
                "param": None,
                "sequence_number": 0,
            },
        )


class _Spoken(Responses):
    """The same over a websocket, where an error is spelt in another way."""

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a response."""
        return named_event("error", {"type": "error", **self.error(status, message)})


class Lanes:
    """``/v1/responses`` over a websocket: each ``response.create`` is a request."""

    def __init__(self, memory: _Memory) -> None:
        self._responses = _Spoken(memory)

    def talk(self, desk: Desk, incoming: Incoming, socket: Socket) -> None:
        """Answer requests until the client ends the conversation."""
        while (message := socket.receive()) is not None:
            body = {name: value for name, value in message.items() if name != "type"}
            desk.play(self._responses, {**body, "stream": True}, incoming, socket)


def _turn(item: JSON) -> tuple[str, str]:
    """Return (role, text) of one input item."""
    match item.get("type", "message"):
        case "message":
            return item.get("role", "user"), text_of(item.get("content"))
        case "function_call":
            return "assistant", f"{item.get('name')}({item.get('arguments')})"
        case "function_call_output":
            return "tool", text_of(item.get("output"))
        case other:
            return "assistant", f"[{other}]"


def _role(role: str) -> Literal["user", "assistant", "tool"]:
    return "assistant" if role == "assistant" else "tool" if role == "tool" else "user"


def _output_schema(text_format: JSON) -> JSON | None:
    match text_format:
        case {"type": "json_schema", "schema": schema}:
            return schema
        case {"type": "json_object"}:
            return {"type": "object"}
        case _:
            return None


def _status(answer: Answer) -> str:
    return "incomplete" if answer.truncated else "completed"


def _shows_thinking(answer: Answer) -> bool:
    """Summaries of the reasoning are shown where they are asked for."""
    return bool(answer.thinking and member(answer.request.body, "reasoning").get("summary"))


def _said(answer: Answer) -> Iterator[str]:
    if answer.text:
        yield answer.text
    for call in answer.tool_calls:
        yield f"{call.name}({call.json})"


def _output(answer: Answer) -> list[dict[str, Any]]:
    """Return the output items: reasoning, the message, then a function call each."""
    serial = f"{answer.request.number:06d}"
    items: list[dict[str, Any]] = []
    if answer.thinking:
        shown = [{"type": "summary_text", "text": answer.thinking}]
        summary = shown if _shows_thinking(answer) else []
        items.append({"type": "reasoning", "id": f"rs_{serial}", "summary": summary})
    if answer.text or not answer.tool_calls:
        part: dict[str, Any] = {
            "type": "output_text",
            "text": answer.text,
            "annotations": [],
            "logprobs": [],
        }
        message = {"type": "message", "id": f"msg_{serial}", "role": "assistant"}
        items.append({**message, "status": _status(answer), "content": [part]})
    items.extend(_function_call(call, serial) for call in answer.tool_calls)
    return items


def _function_call(call: ToolCall, serial: str) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{serial}_{call.id}",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.json,
        "status": "completed",
    }


def _empty(item: dict[str, Any]) -> dict[str, Any]:
    """Return an output item as it is when it begins."""
    match item["type"]:
        case "reasoning":
            return {**item, "summary": []}
        case "message":
            return {**item, "status": "in_progress", "content": []}
        case _:
            return {**item, "status": "in_progress", "arguments": ""}


def _response(
    answer: Answer, *, status: str, output: list[dict[str, Any]], usage: bool
) -> dict[str, Any]:
    body = answer.request.body
    return {
        "id": answer.id,
        "object": "response",
        "created_at": answer.created,
        "status": status,
        "background": bool(body.get("background")),
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "model": answer.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        **(answer.usage(_usage(answer.tokens)) if usage else {"usage": None}),
    }


def _usage(tokens: Tokens) -> JSON:
    return {
        "input_tokens": tokens.input_tokens,
        "input_tokens_details": {
            "cached_tokens": tokens.cache_read_tokens,
            "cache_write_tokens": tokens.cache_write_tokens,
        },
        "output_tokens": tokens.output_tokens,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning_tokens},
        "total_tokens": tokens.input_tokens + tokens.output_tokens,
    }


def routes() -> list[Route]:
    """Return what this module answers."""
    memory = _Memory()
    responses = Responses(memory)
    return [
        Route("POST", "/v1/responses", responses),
        Route("GET", "/v1/responses/(?P<id>[^/]+)", responses.retrieve),
        Route("POST", "/v1/responses/(?P<id>[^/]+)/cancel", responses.retrieve),
        Route("WEBSOCKET", "/v1/responses", Lanes(memory)),
    ]
