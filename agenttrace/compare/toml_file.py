"""Read the files of records that come with this package, and check what all of them must hold."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from agenttrace.errors import FactorError

_File = TypeVar("_File")


def read(path: Path, type_: type[_File], shipped: Path) -> _File:
    """Read a TOML file as *type_*.

    Args:
        path: The file.
        type_: What it holds.
        shipped: One that is sound, to name as an example.

    Raises:
        FactorError: It cannot be read, is no TOML, or holds something else.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=type_)
    except OSError as error:
        raise FactorError(
            f"{path} cannot be read: {error.strerror}. Name a TOML file that is there."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FactorError(f"{path.name}: {error}. {shipped} is an example.") from error


def check_once(file: str, kind: str, ids: Iterable[str]) -> None:
    """Check that no id is given twice.

    Raises:
        FactorError: One is.
    """
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            raise FactorError(f"{file}: {kind} {id_!r} is given twice. Remove one of the two.")
        seen.add(id_)


def check_cited(what: str, cited: Collection[str], given: Collection[str]) -> None:
    """Check that a record cites a source, and none that the file does not give.

    Args:
        what: File and record, for the error.
        cited: Keys of the sources that it cites.
        given: Keys of the sources in the file.

    Raises:
        FactorError: It cites none, or one that is not there.
    """
    if not cited:
        raise FactorError(f"{what} has no source. Add one to its sources.")
    for key in cited:
        if key not in given:
            raise FactorError(
                f"{what} cites source {key!r}, which is not given. Add a [source.{key}] table."
            )
