"""What a check is given, and what it says."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from agenttrace.config import Settings
from agenttrace.sources.source import User

Level = Literal["ok", "note", "warning", "broken"]
"""As it should be; worth knowing; something is lost, or will be; something does not work."""

LEVELS: Final[tuple[Level, ...]] = ("ok", "note", "warning", "broken")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check found.

    Attributes:
        topic: What the check looks at, as a heading.
        subject: Whose it is.
        says: What it is, without a full stop; no secret is in it, and nothing of any prompt.
        level: How bad it is.
        mend: What to do about it: a line to type, or a sentence; None if nothing need be done.
    """

    topic: str
    subject: str
    says: str
    level: Level = "ok"
    mend: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """What is looked at.

    Attributes:
        settings: Where the data are.
        user: Whose agents.
        now_ns: The time, nanoseconds since 1970-01-01 UTC.
    """

    settings: Settings
    user: User
    now_ns: int = field(default_factory=time.time_ns)

    @property
    def home(self) -> Path:
        """Folder of the data."""
        return self.settings.home

    def executable(self, names: Iterable[str]) -> Path | None:
        """Return the first program of these *names* on the user's ``PATH``."""
        path = self.user.variables.get("PATH", os.defpath)
        found = (shutil.which(name, path=path) for name in names)
        return next((Path(one) for one in found if one), None)

    def shown(self, path: Path) -> str:
        """Return *path* as people write it: with ``~`` for their home folder."""
        try:
            return f"~/{path.relative_to(self.user.home)}"
        except ValueError:
            return str(path)


Check = Callable[[Machine], Iterable[Finding]]


def count(number: int, what: str) -> str:
    """Return a number of things for a person."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Return *names* as a sentence has them."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def size(number: int) -> str:
    """Return a number of bytes for a person."""
    from rich.filesize import decimal

    return decimal(number)
