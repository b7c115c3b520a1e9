"""Droid: a file of settings for each session, with the tokens that it has used so far.

``~/.factory/sessions/**/<session>.settings.json``: ``tokenUsage``, whose input excludes the cache.
Nothing says whether ``thinkingTokens`` are a part of ``outputTokens``: they are taken for one, as
providers have it, unless they are more than the whole. The transcript beside it,
``<session>.jsonl``, has times and the folder, and no tokens.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from agenttrace.model import TokenUsage
from agenttrace.sources import usage
from agenttrace.sources.agents import fields, sessions
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Record

_NAME: Final = "droid"
_END: Final = ".settings.json"
_BEGINNING: Final = 1 << 18  # bytes of a transcript that tell when it began
_COUNTS: Final = (
    "inputTokens",
    "outputTokens",
    "cacheReadTokens",
    "cacheCreationTokens",
    "thinkingTokens",
)


class Droid:
    """Reads the settings of Droid's sessions."""

    name = _NAME
    form: Form = "document"

    def roots(self, user: User) -> Iterable[Path]:
        """Return where its sessions are."""
        return [user.folder("FACTORY_DIR", ".factory") / "sessions"]

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        """Return the settings of all sessions."""
        return walk(root, lambda path: path.endswith(_END), unreadable)

    def read(self, piece: Piece) -> Iterable[Record | Skipped]:
        """Yield the session of a file."""
        said = fields.decode(piece.text)
        if said is None:
            yield Skipped(fields.NO_JSON)
            return
        session = piece.path.name.removesuffix(_END)
        counts = fields.mapping(said.get("tokenUsage"))
        yield from fields.odd(counts.get(at) for at in _COUNTS)
        used = _usage(counts)
        if used.state == "missing":
            return
        yield from _session(said, session, used, piece.path)


def _session(said: dict[str, Any], session: str, used: TokenUsage, path: Path) -> Iterator[Record]:
    begun_ns, project = _transcript(path.with_name(f"{session}.jsonl"))
    changed_ns = path.stat().st_mtime_ns
    yield from sessions.whole(
        _NAME,
        session,
        start_ns=begun_ns or fields.moment_ns(said.get("providerLockTimestamp")) or changed_ns,
        at_ns=changed_ns,
        usage=used,
        model=_model(said.get("model")),
        provider=fields.provider(said.get("providerLock")),
        project=project,
    )


def _transcript(path: Path) -> tuple[int | None, str | None]:
    """Return when a session began and in which folder, as its transcript has it."""
    begun_ns: int | None = None
    project: str | None = None
    try:
        with path.open("rb") as file:
            lines = file.read(_BEGINNING).split(b"\n")
    except OSError:
        return None, None
    for line in lines:
        said = fields.decode(line) or {}
        begun_ns = begun_ns or fields.moment_ns(said.get("timestamp"))
        project = project or fields.folder(said.get("cwd"))
    return begun_ns, project


def _usage(counts: dict[str, Any]) -> TokenUsage:
    given, output, cache_read, cache_write, thought = (counts.get(at) for at in _COUNTS)
    is_beside = (usage.count(thought) or 0) > (usage.count(output) or 0)
    return fields.used(
        usage.beside(
            given,
            output,
            cache_read=cache_read,
            cache_write=cache_write,
            reasoning=thought,
            is_reasoning_beside=is_beside,
        )
    )


def _model(said: object) -> str | None:
    """Return the model, of one of the user's own without what Droid puts around its name."""
    name = fields.text(said) or ""
    return name.removeprefix("custom:").partition("[")[0].rstrip("- ") or None


SOURCE: Final = Droid()
