"""OpenAI's realtime protocol: a conversation over a websocket, in text or with sound.

Sound that is sent counts as in a transcription; sound that is played is silence, with the text as
its transcript.
"""

import base64
import itertools
from collections.abc import Iterator
from typing import Any

from agenttrace.testing.openai import error
from agenttrace.testing.protocol import (
    Answer,
    Asked,
    Desk,
    Event,
    Ids,
    Incoming,
    Route,
    StreamingDialect,
    Tally,
    argument_pieces,
    member,
    model_of,
    named_event,
    objects,
    text_of,
    text_pieces,
)
from agenttrace.testing.tokens import Segment
from agenttrace.testing.values import JSON, Message, Tokens
from agenttrace.testing.websocket import Socket

_SILENCE = base64.b64encode(bytes(480)).decode()


class Realtime(StreamingDialect):
    """One response of a conversation."""

    provider = "openai"
    ids = Ids("resp_", "call_")

    def read(self, body: JSON) -> Asked:
        """Understand what the response is to: the instructions, then all items so far."""
        instructions = text_of(body.get("instructions"))
        lines = [_line(item) for item in objects(body.get("items"), "items")]
        tools = {
            tool["name"]: member(tool, "parameters") for tool in objects(body.get("tools"), "tools")
        }
        before = [("system", instructions)] if instructions else []
        return Asked(
            segments=[Segment(f"{role}: {text}\n") for role, text in (*before, *lines)],
            model=model_of(body),
            stream=True,
            system=instructions,
            messages=tuple(_message(role, text) for role, text in lines),
            tools=tools,
        )

    def events(self, answer: Answer) -> Iterator[Event]:
        """Spell the response as events."""
        numbers = itertools.count(1)
        speaks = "audio" in answer.request.body["modalities"]

        def event(kind: str, /, **members: Any) -> bytes:
            event_id = f"event_{answer.request.number:06d}_{next(numbers)}"
            return named_event(kind, {"type": kind, "event_id": event_id, **members})

        tally = Tally(answer, shows_thinking=False)
        begun = _response(answer, "in_progress", [], {"usage": None})
        yield Event(event("response.created", response=begun), tally.tokens)
        items = _items(answer, speaks=speaks)
        for index, item in enumerate(items):
            at = {"response_id": answer.id, "item_id": item["id"], "output_index": index}
            yield Event(event("response.output_item.added", **at, item=item))
            if item["type"] == "function_call":
                tally.said(item["name"])
                for piece in argument_pieces(item["arguments"]):
                    kind = "response.function_call_arguments.delta"
                    data = event(kind, **at, call_id=item["call_id"], delta=piece)
                    yield Event(data, tally.said(piece), piece=True)
            else:
                place = {**at, "content_index": 0}
                kind = "response.output_audio_transcript" if speaks else "response.output_text"
                for piece in text_pieces(answer.text):
                    data = event(f"{kind}.delta", **place, delta=piece)
                    if speaks:
                        data += event("response.output_audio.delta", **place, delta=_SILENCE)
                    yield Event(data, tally.said(piece), piece=True)
            yield Event(event("response.output_item.done", **at, item=item))
        done = _response(answer, "completed", items, answer.usage(_usage(answer.tokens)))
        yield Event(event("response.done", response=done), answer.tokens, answer.usage_state)

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        return error(status, message)

    def error_event(self, status: int, message: str) -> bytes:
        """Spell an error in the middle of a response."""
        return named_event("error", {"type": "error", **error(status, message)})


class Conversations:
    """``/v1/realtime``: what a session is made of."""

    def __init__(self) -> None:
        self._dialect = Realtime()
        self._numbers = itertools.count(1)

    def talk(self, desk: Desk, incoming: Incoming, socket: Socket) -> None:
        """Answer messages until the client ends the conversation."""
        model = incoming.query.partition("model=")[2].partition("&")[0] or "gpt-realtime"
        session: dict[str, Any] = {"type": "realtime", "model": model}
        items: list[JSON] = []
        sound = b""
        self._say(socket, "session.created", session=session)
        while (message := socket.receive()) is not None:
            match message.get("type"):
                case "session.update":
                    session |= member(message, "session")
                    self._say(socket, "session.updated", session=session)
                case "conversation.item.create":
                    items.append(member(message, "item"))
                    known = {"id": f"item_{len(items):06d}", **items[-1]}
                    self._say(socket, "conversation.item.done", item=known)
                case "input_audio_buffer.append":
                    sound += base64.b64decode(str(message.get("audio")))
                case "input_audio_buffer.commit":
                    content = [{"type": "input_audio"}]
                    items.append({"type": "message", "role": "user", "content": content})
                    item_id = f"item_{len(items):06d}"
                    self._say(socket, "input_audio_buffer.committed", item_id=item_id)
                    self._transcribe(desk, session, sound, item_id, socket)
                    sound = b""
                case "response.create":
                    body = {**session, **member(message, "response"), "items": [*items]}
                    body["modalities"] = body.get("output_modalities") or ["audio"]
                    desk.play(self._dialect, body, incoming, socket)
                case other:
                    self._say(socket, "error", **error(400, f"Unknown event {other!r}"))

    def _transcribe(
        self, desk: Desk, session: JSON, sound: bytes, item_id: str, socket: Socket
    ) -> None:
        """Transcribe what was said, where the session wants it: the work of another model."""
        wanted = member(member(member(session, "audio"), "input"), "transcription")
        if not wanted:
            return
        file = {"name": "sound", "content": sound}
        worked = desk.work("/v1/audio/transcriptions", {**wanted, "file": file})
        worked.told()
        self._say(
            socket,
            "conversation.item.input_audio_transcription.completed",
            item_id=item_id,
            content_index=0,
            transcript=worked.response["text"],
            usage=worked.response.get("usage"),
        )

    def _say(self, socket: Socket, kind: str, /, **members: Any) -> None:
        socket.say({"type": kind, "event_id": f"event_{next(self._numbers):06d}", **members})


def _line(item: JSON) -> tuple[str, str]:
    match item.get("type"):
        case "function_call_output":
            return "tool", str(item.get("output"))
        case "function_call":
            return "assistant", f"{item.get('name')}({item.get('arguments')})"
        case _:
            return str(item.get("role", "user")), text_of(item.get("content"))


def _message(role: str, text: str) -> Message:
    return Message(
        "tool" if role == "tool" else "assistant" if role == "assistant" else "user", text
    )


def _items(answer: Answer, *, speaks: bool) -> list[dict[str, Any]]:
    serial = f"{answer.request.number:06d}"
    items: list[dict[str, Any]] = []
    if answer.text or not answer.tool_calls:
        kind, name = ("output_audio", "transcript") if speaks else ("output_text", "text")
        message = {"id": f"item_{serial}", "type": "message", "role": "assistant"}
        items.append({**message, "content": [{"type": kind, name: answer.text}]})
    items += (
        {
            "id": f"fc_{serial}_{call.id}",
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.json,
        }
        for call in answer.tool_calls
    )
    return items


def _response(answer: Answer, status: str, output: list[dict[str, Any]], usage: JSON) -> JSON:
    return {
        "id": answer.id,
        "object": "realtime.response",
        "status": status,
        "status_details": None,
        "output": output,
        "output_modalities": answer.request.body["modalities"],
        **usage,
    }


def _usage(tokens: Tokens) -> JSON:
    return {
        "total_tokens": tokens.input_tokens + tokens.output_tokens,
        "input_tokens": tokens.input_tokens,
        "output_tokens": tokens.output_tokens,
        "input_token_details": {
            "text_tokens": tokens.input_tokens - tokens.input_audio_tokens,
            "audio_tokens": tokens.input_audio_tokens,
            "image_tokens": tokens.input_image_tokens,
            "cached_tokens": tokens.cache_read_tokens,
        },
        "output_token_details": {
            "text_tokens": tokens.output_tokens - tokens.output_audio_tokens,
            "audio_tokens": tokens.output_audio_tokens,
        },
    }


def routes() -> list[Route]:
    """Return what this module answers."""
    return [Route("WEBSOCKET", "/v1/realtime", Conversations())]
