"""Sets of factors as they were, so that a report of last year can be printed again.

A set is one file with everything that its estimates rest on, EcoLogits' data and our tables of
places included: ``factors/VERSION.json.gz`` in the folder of the data, or a file that was exported.
"""

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from agenttrace import __version__
from agenttrace.energy.draws import DRAWS, SCHEME
from agenttrace.energy.factors import Change, Data, Factors, assembled, shipped
from agenttrace.energy.library import MIXES, MODELS, Library
from agenttrace.energy.records import Records
from agenttrace.errors import FactorError

FOLDER: Final = "factors"

_FORMAT: Final = 1
_SUFFIX: Final = ".json.gz"
_GZIP: Final = b"\x1f\x8b"
_VERSION: Final = re.compile(r"[0-9a-f]{12}")
_EXPORT: Final = "`agenttrace factors export FILE`"


class _Head(msgspec.Struct, frozen=True):
    """What says whether the rest is understood."""

    format: int
    agenttrace: str
    version: str
    scheme: int
    draws: int


class _Set(_Head, frozen=True):
    records: Records
    library: dict[str, msgspec.Raw]
    places: dict[str, str]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A set of factors that can be priced with again.

    Attributes:
        version: As reports name it.
        path: Its file.
        kept: When it was first used here (UTC).
        agenttrace: Version of agenttrace that used it.
        trouble: Why it cannot be used here; empty if it can.
    """

    version: str
    path: Path
    kept: datetime
    agenttrace: str
    trouble: str


def save(factors: Factors, home: Path) -> str | None:
    """Keep *factors* in *home*, unless they are kept there already, or there is no such folder.

    Returns:
        A warning where they cannot be kept: a report is worth more than its archive.
    """
    path = home / FOLDER / f"{factors.version}{_SUFFIX}"
    try:
        if path.exists() or not home.is_dir():
            return None
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _write(path, factors)
    except OSError as error:
        return (
            f"the factors of this report cannot be kept in {path.parent}: {error.strerror}. "
            f"{_EXPORT} keeps them elsewhere."
        )
    return None


def export(factors: Factors, path: Path) -> None:
    """Write *factors* into a file that :func:`restore` takes.

    Args:
        factors: What to write.
        path: A file that is not there yet; compressed if its name ends in ``.gz``.

    Raises:
        FactorError: There is such a file, or it cannot be written.
    """
    if path.exists():
        raise FactorError(f"{path} is there already. Name another file, or remove it.")
    try:
        _write(path, factors)
    except OSError as error:
        raise FactorError(
            f"{path} cannot be written: {error.strerror}. Name a file in a folder that can be."
        ) from error


def restore(version: str, home: Path | None) -> Factors:
    """Return a set of factors as it was.

    Args:
        version: As a report names it, or a file that was exported.
        home: Folder of the data.

    Raises:
        FactorError: There is no such set, or it is damaged, or this agenttrace would draw from it
            in another way, so that its ranges would be others.
    """
    kept = home / FOLDER / f"{version}{_SUFFIX}" if home and _VERSION.fullmatch(version) else None
    if kept and kept.exists():
        factors = _read(kept)
        if factors.version != version:
            raise _damaged(kept, f"it holds version {factors.version}")
        return factors
    if version == shipped().version:
        return shipped()
    path = Path(version).expanduser()
    if path.is_file():
        return _read(path)
    kept_here = [one.version for one in versions(home)] if home else []
    known = dict.fromkeys([*kept_here, shipped().version])
    raise FactorError(
        f"there are no factors of version {version!r} here. "
        f"Known: {', '.join(known)}. For another one, run {_EXPORT} where "
        f"the report was made, and give that file as the version."
    )


def versions(home: Path) -> list[Kept]:
    """Return the sets that are kept in *home*, the latest first."""
    return sorted(_kept(home), key=lambda one: (one.kept, one.version), reverse=True)


def _kept(home: Path) -> Iterator[Kept]:
    for path in (home / FOLDER).glob(f"*{_SUFFIX}"):
        version = path.name.removesuffix(_SUFFIX)
        if _VERSION.fullmatch(version):
            at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            try:
                head = _head(path, _bytes(path))
            except FactorError as error:
                yield Kept(version, path, at, "", str(error))
            else:
                yield Kept(version, path, at, head.agenttrace, _refusal(head))


def _read(path: Path) -> Factors:
    data = _bytes(path)
    head = _head(path, data)
    if refusal := _refusal(head):
        raise FactorError(f"{path}: {refusal}")
    try:
        one = msgspec.json.decode(data, type=_Set)
        library = Library(bytes(one.library[MODELS]), bytes(one.library[MIXES]))
    except (msgspec.DecodeError, KeyError) as error:
        raise _damaged(path, str(error)) from error
    factors = assembled(one.records, Data(library, one.places), one.changes, str(path))
    if factors.version != one.version:
        raise _damaged(path, f"it says version {one.version} and holds {factors.version}")
    return factors


def _head(path: Path, data: bytes) -> _Head:
    try:
        return msgspec.json.decode(data, type=_Head)
    except msgspec.DecodeError as error:
        raise _damaged(path, str(error)) from error


def _refusal(head: _Head) -> str:
    if head.format != _FORMAT:
        return (
            f"agenttrace {head.agenttrace} wrote these factors in another form. "
            f"Install that version to use them."
        )
    if (head.scheme, head.draws) != (SCHEME, DRAWS):
        return (
            f"with version {head.version}, agenttrace {head.agenttrace} made {head.draws} draws "
            f"by scheme {head.scheme}; this one makes {DRAWS} by scheme {SCHEME}, so the ranges "
            f"would be others. Install that version to print the report again."
        )
    return ""


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(_GZIP) else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        raise FactorError(
            f"{path} cannot be read: {error.strerror}. Name a file that {_EXPORT} wrote."
        ) from error


def _damaged(path: Path, reason: str) -> FactorError:
    return FactorError(
        f"{path} is no whole set of factors: {reason}. "
        f"Run {_EXPORT} where the report was made, and give that file."
    )


def _write(path: Path, factors: Factors) -> None:
    """Write a file that is there whole or not at all, and that only its owner reads."""
    data = msgspec.json.encode(
        _Set(
            format=_FORMAT,
            agenttrace=__version__,
            version=factors.version,
            scheme=SCHEME,
            draws=DRAWS,
            records=factors.records,
            library={
                MODELS: msgspec.Raw(factors.library.models_json),
                MIXES: msgspec.Raw(factors.library.mixes_json),
            },
            places=dict(factors.places),
            # A set travels, and the folders of its maker do not belong in it.
            changes=tuple(
                msgspec.structs.replace(change, file=Path(change.file).name)
                for change in factors.changes
            ),
        )
    )
    making = path.with_name(f".{path.name}.{os.getpid()}")
    making.unlink(missing_ok=True)
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(gzip.compress(data, 6, mtime=0) if path.suffix == ".gz" else data)
            file.flush()
            os.fsync(file.fileno())
        making.replace(path)
    except BaseException:
        making.unlink(missing_ok=True)
        raise
