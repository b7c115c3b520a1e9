"""Bring what sources tell into the spool: each file from where it was left, each call once."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from agenttrace.record.spool import Spool
from agenttrace.sources import reading, told
from agenttrace.sources.ledger import FileState, Known, Ledger
from agenttrace.sources.reading import Seen
from agenttrace.sources.source import Skipped, Source, UnreadableError, form_of
from agenttrace.sources.told import Call, Record

_SERVICE: Final = "agenttrace import"
_AT_ONCE: Final = 50_000  # records that are held before they are written

Progress = Callable[[int, int], None]
"""Told how many bytes are done, and of how many."""


@dataclass(slots=True)
class Imported:
    """What came of the import of one source.

    Attributes:
        source: Its name.
        files: Files that were found.
        unchanged: Those of them in which nothing can be new.
        calls: Calls that were not known.
        improved: Calls that were known, of which more is known now.
        repeated: Tellings of calls that say nothing new: copies, and earlier states.
        turns: Turns that the files tell of.
        spans: Spans that exports tell of, be they calls or not, those told before included.
        skipped: What was not read, by reason.
        unfinished: Files whose last line is not finished; it is read the next time.
        unreadable: Files and folders that could not be read, and why.
    """

    source: str
    files: int = 0
    unchanged: int = 0
    calls: int = 0
    improved: int = 0
    repeated: int = 0
    turns: int = 0
    spans: int = 0
    skipped: Counter[str] = field(default_factory=Counter[str])
    unfinished: int = 0
    unreadable: dict[Path, str] = field(default_factory=dict[Path, str])


def import_logs(
    home: Path,
    source: Source,
    roots: Iterable[Path],
    *,
    progress: Progress = lambda _done, _total: None,
) -> Imported:
    """Import what is new of *source* below *roots* into the spool of *home*.

    Twice is once, and whatever dies in between is read again. Files may be written meanwhile.

    Args:
        home: Folder of the data.
        source: What reads the files.
        roots: Folders or files.
        progress: Is told how far it is.

    Raises:
        SourceError: Another import is at it and does not end, or the ledger cannot be used.
        SpoolError: The spool cannot be written.
        OSError: The same.
    """
    done = Imported(source.name)
    ledger = Ledger(home)
    spool = Spool(home / "spool", _SERVICE, is_retold=True)
    try:
        with ledger.changing():
            known = ledger.files(source.name)
            changed = _changed(source, roots, known, done)
            _Import(source, ledger, spool, done).run(changed, known, progress)
    finally:
        spool.close()
        ledger.close()
    return done


def _changed(
    source: Source, roots: Iterable[Path], known: dict[str, FileState], done: Imported
) -> list[Seen]:
    """Return the files in which something may be new, each once."""
    found: dict[Path, None] = {}
    for root in roots:
        found.update(dict.fromkeys(source.find(root, done.unreadable.__setitem__)))
    changed: list[Seen] = []
    for path in found:
        try:
            seen = reading.look(path, form_of(source, path))
        except UnreadableError as error:
            done.unreadable[path] = str(error)
            continue
        if reading.is_unchanged(seen, known.get(str(path))):
            done.unchanged += 1
        else:
            changed.append(seen)
    done.files = len(found)
    return changed


class _Import:
    """An import under way: what was read and is not yet written."""

    def __init__(self, source: Source, ledger: Ledger, spool: Spool, done: Imported) -> None:
        self._source = source
        self._ledger = ledger
        self._spool = spool
        self._done = done
        self._others: list[Record] = []
        self._lines: list[bytes] = []
        self._calls: dict[str, Call] = {}
        self._states: dict[str, FileState] = {}
        self._skipped: Counter[str] = Counter()

    def run(self, files: Sequence[Seen], known: dict[str, FileState], progress: Progress) -> None:
        """Read *files* and write what they tell."""
        left = [max(seen.size - _read_to(known, seen), 0) for seen in files]
        read, total = 0, sum(left)
        for seen, size in zip(files, left, strict=True):
            self._read(seen, known.get(str(seen.path)))
            read += size
            progress(read, total)
        self._write()

    def _read(self, seen: Seen, known: FileState | None) -> None:
        pieces = reading.pieces(seen, form_of(self._source, seen.path), known)
        while self._read_next(seen.path, pieces):
            if len(self._others) + len(self._lines) + len(self._calls) > _AT_ONCE:
                self._write()

    def _read_next(self, path: Path, pieces: Iterator[reading.Next]) -> bool:
        """Read the next piece of a file; False if there is none, or it cannot be read."""
        try:
            piece, state = next(pieces)
            if isinstance(piece, Skipped):
                self._skip(piece)
            elif piece is not None:
                for one in self._source.read(piece):
                    self._take(one)
            self._states[str(path)] = state
        except StopIteration:
            return False
        except UnreadableError as error:
            self._done.unreadable[path] = str(error)
            return False
        except Exception as error:  # noqa: BLE001 - a file may hold anything; the others are read
            self._done.unreadable[path] = f"not as expected ({type(error).__name__})"
            return False
        return True

    def _take(self, one: Record | Skipped | bytes) -> None:
        if isinstance(one, Call):
            before = self._calls.get(one.key)
            self._calls[one.key] = one if before is None else self._better(before, one)
        elif isinstance(one, bytes):
            self._done.spans += 1
            self._lines.append(one)
        elif isinstance(one, Skipped):
            self._skip(one)
        else:
            self._done.turns += isinstance(one, told.Turn)
            self._others.append(one)

    def _skip(self, one: Skipped) -> None:
        if one.reason == reading.UNFINISHED:
            self._done.unfinished += one.number
        else:
            self._skipped[one.reason] += one.number

    def _better(self, before: Call, after: Call) -> Call:
        """Return what two tellings of one call come to: the better one, where it was told first."""
        self._done.repeated += 1
        best = after if _worth(after) > _worth(before) else before
        return replace(
            best,
            session=before.session,
            turn=before.turn,
            start_ns=min(before.start_ns, after.start_ns),
            end_ns=max(filter(None, (before.end_ns, after.end_ns)), default=None),
        )

    def _write(self) -> None:
        """Write what is held to the spool, then to the ledger what was written."""
        name = self._source.name
        calls = self._news(self._ledger.known(name, self._calls))
        # One after the other: all of the lines at once would be most of the memory.
        self._spool.append_all(
            chain(self._lines, map(told.line, self._others), map(told.line, calls))
        )
        self._ledger.note_told(
            name,
            {
                call.key: Known(_worth(call), call.start_ns, call.session, call.turn)
                for call in calls
            },
        )
        self._ledger.note_files(name, self._states)
        self._ledger.note_skipped(name, self._skipped)
        self._done.skipped += self._skipped
        self._others, self._lines, self._calls, self._states = [], [], {}, {}
        self._skipped = Counter()

    def _news(self, known: Mapping[str, Known]) -> list[Call]:
        """Return the calls of which more is known than the ledger has."""
        if not known:
            self._done.calls += len(self._calls)
            return list(self._calls.values())
        new = {key: _now_known(call, known.get(key)) for key, call in self._calls.items()}
        calls = [call for key, call in new.items() if _is_news(call, known.get(key))]
        improved = sum(call.key in known for call in calls)
        self._done.calls += len(calls) - improved
        self._done.improved += improved
        self._done.repeated += len(new) - len(calls)
        return calls


def _read_to(known: dict[str, FileState], seen: Seen) -> int:
    state = known.get(str(seen.path))
    return 0 if state is None else state.read_to


def _worth(call: Call) -> int:
    return (call.usage.output_tokens or 0) if call.worth is None else call.worth


def _is_news(call: Call, known: Known | None) -> bool:
    return known is None or _worth(call) > known.worth


def _now_known(call: Call, known: Known | None) -> Call:
    """Return *call* as the same span as when it was told before."""
    if known is None:
        return call
    return replace(call, session=known.session, turn=known.turn, start_ns=known.start_ns)
