"""Amp: a file for each thread, with the usage in one of two places, or in both.

``~/.local/share/amp/threads/T-*.json``: ``usageLedger.events`` [{id, timestamp, model,
tokens{input, output}, toMessageId}], whose cache stands at the message alone; and ``messages``
[{role, messageId, usage{model, inputTokens, outputTokens, cacheCreationInputTokens,
cacheReadInputTokens, timestamp}}]. The input excludes the cache. A message that an event names is
that event's call.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from agenttrace.model import TokenUsage
from agenttrace.sources import usage
from agenttrace.sources.agents import fields
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Call, Record, Turn

_NAME: Final = "amp"
_CACHE: Final = ("cacheReadInputTokens", "cacheCreationInputTokens")


class Amp:
    """Reads the threads of Amp."""

    name = _NAME
    form: Form = "document"

    def roots(self, user: User) -> Iterable[Path]:
        """Return where its threads are."""
        if said := user.variables.get("AMP_DATA_DIR"):
            yield Path(said).expanduser() / "threads"
        yield user.data / "amp" / "threads"

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return all threads."""
        return walk(root, _is_thread, unreadable)

    def read(self, piece: Piece) -> Iterable[Record | Skipped]:
        """Yield what a thread tells."""
        said = fields.decode(piece.text)
        if said is None:
            yield Skipped(fields.NO_JSON)
            return
        yield from _Thread(fields.text(said.get("id")) or piece.path.stem, said).read()


def _is_thread(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("T-") and name.endswith(".json")


class _Thread:
    """A thread, its messages by their ids."""

    def __init__(self, session: str, said: dict[str, Any]) -> None:
        self._session = session
        self._told: set[str] = set()
        self._project = _project(said)
        self._events = _mappings(fields.mapping(said.get("usageLedger")).get("events"))
        messages = _mappings(said.get("messages"))
        self._messages = {_id(one, at): one for at, one in enumerate(messages)}
        self._turns = dict(zip(self._messages, _turns(self._messages), strict=True))

    def read(self) -> Iterator[Record | Skipped]:
        named = [fields.identifier(event.get("toMessageId")) for event in self._events]
        for event, message in zip(self._events, named, strict=True):
            yield from self._of_event(event, message)
        if None in named:
            # Which messages the events are of nobody can tell: better some too few than twice.
            return
        for key, message in self._messages.items():
            if key not in named and message.get("role") == "assistant" and message.get("usage"):
                yield from self._of_message(key, message)

    def _of_event(self, event: dict[str, Any], message: str | None) -> Iterator[Record | Skipped]:
        tokens = fields.mapping(event.get("tokens"))
        cache = fields.mapping(self._messages.get(message or "", {}).get("usage"))
        yield from self._call(
            message or f"event:{fields.identifier(event.get('id')) or event.get('timestamp')}",
            message,
            (event.get("timestamp"),),
            event.get("model"),
            (tokens.get("input"), tokens.get("output"), *(cache.get(at) for at in _CACHE)),
        )

    def _of_message(self, key: str, message: dict[str, Any]) -> Iterator[Record | Skipped]:
        said = fields.mapping(message.get("usage"))
        yield from self._call(
            key,
            key,
            (said.get("timestamp"), message.get("timestamp")),
            said.get("model") or message.get("model"),
            tuple(said.get(at) for at in ("inputTokens", "outputTokens", *_CACHE)),
        )

    def _call(
        self,
        key: str,
        message: str | None,
        times: tuple[object, ...],
        model: object,
        counts: tuple[object, ...],
    ) -> Iterator[Record | Skipped]:
        start_ns = next(filter(None, map(fields.moment_ns, times)), None)
        if start_ns is None:
            yield Skipped("a call without time")
            return
        yield from fields.odd(counts)
        turn = self._turns.get(message or "") or "start"
        if turn not in self._told:
            self._told.add(turn)
            yield Turn(
                source=_NAME,
                session=self._session,
                turn=turn,
                start_ns=start_ns,
                project=self._project,
            )
        yield Call(
            source=_NAME,
            session=self._session,
            turn=turn,
            key=f"{self._session}:{key}",
            start_ns=start_ns,
            model=fields.text(model),
            usage=_usage(counts),
        )


def _usage(counts: tuple[object, ...]) -> TokenUsage:
    given, output, cache_read, cache_write = counts
    found = usage.beside(given, output, cache_read=cache_read, cache_write=cache_write)
    return fields.used(found)


def _mappings(value: object) -> list[dict[str, Any]]:
    return [fields.mapping(one) for one in fields.sequence(value)]


def _id(message: dict[str, Any], at: int) -> str:
    return fields.identifier(message.get("messageId")) or f"at:{at}"


def _turns(messages: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the turn of each message: the prompt before it. Results of tools are no prompts."""
    turn = "start"
    for key, message in messages.items():
        if message.get("role") == "user" and not _is_result(message):
            turn = key
        yield turn


def _is_result(message: dict[str, Any]) -> bool:
    return any(one.get("type") == "tool_result" for one in _mappings(message.get("content")))


def _project(said: dict[str, Any]) -> str | None:
    """Return the name of the folder that a thread was begun in."""
    initial = fields.mapping(fields.mapping(said.get("env")).get("initial"))
    for tree in _mappings(initial.get("trees")):
        if (uri := fields.text(tree.get("uri"))) is not None and uri.startswith("file:"):
            return fields.folder(unquote(urlsplit(uri).path))
    return None


SOURCE: Final = Amp()
