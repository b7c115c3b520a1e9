"""Settings: one frozen value; every value knows where it came from."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeGuard, get_args

from agenttrace.errors import ConfigError
from agenttrace.model import Workload

HOME_VARIABLE = "AGENTTRACE_HOME"
CHILDREN_VARIABLE = "AGENTTRACE_CHILDREN"
INTEGRATIONS_VARIABLE = "AGENTTRACE_INTEGRATIONS"
MAX_SPOOL_VARIABLE = "AGENTTRACE_MAX_SPOOL"
DURABILITY_VARIABLE = "AGENTTRACE_DURABILITY"
FACTORS_VARIABLE = "AGENTTRACE_FACTORS"
REGION_VARIABLE = "AGENTTRACE_REGION"
WORKLOAD_VARIABLE = "AGENTTRACE_WORKLOAD"
PROJECT_VARIABLE = "AGENTTRACE_PROJECT"
USERS_VARIABLE = "AGENTTRACE_USERS"

Durability = Literal["process", "second", "record"]

PROJECT_CHARACTERS: Final = 200  # at most; the rest of a longer name is cut off

_NO = ("0", "false", "no", "off")
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) *([kmgt]?)(i?)b?", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where agenttrace keeps its data, and whether it records.

    Attributes:
        home: Folder with ``spool/``, ``lake/``, ``store.duckdb`` and the user's ``queries/``.
        home_from: Who named it: ``argument``, ``AGENTTRACE_HOME`` or ``default``.
        disabled: ``OTEL_SDK_DISABLED`` is true, so nothing is recorded.
        export_otlp: An OTLP endpoint is set for traces, so spans are sent on as well.
        children: Child processes join the current task by themselves.
        children_from: Who said so: ``AGENTTRACE_CHILDREN`` or ``default``, which is yes.
        integrations: Those that ``AGENTTRACE_INTEGRATIONS`` names, to be switched on as recording
            starts; ``all`` is every one whose framework is installed.
        max_spool_bytes: What the spool may hold; None for no limit.
        durability: What a record outlives: the ``process``, or a power failure, but for the last
            ``second`` or with every ``record``.
        workload: ``agentic`` or ``user-facing``, of all that this process does; None if unsaid.
        workload_from: Who said so: ``argument``, ``AGENTTRACE_WORKLOAD`` or ``default``.
        project: What this process works on; None if unsaid.
        project_from: ``argument``, ``AGENTTRACE_PROJECT`` or ``default``.
        users: Who prompts may be recorded, as a keyed hash.
        users_from: ``argument``, ``AGENTTRACE_USERS`` or ``default``, which is yes.
        unsaid: What is set and is no setting, a sentence each; it is as if it were not set.
        factors: Factor files that ``AGENTTRACE_FACTORS`` names, separated as in ``PATH``; a later
            one goes before an earlier.
    """

    home: Path
    home_from: str
    disabled: bool
    export_otlp: bool
    children: bool = True
    children_from: str = "default"
    integrations: tuple[str, ...] = ()
    max_spool_bytes: int | None = None
    durability: Durability = "process"
    factors: tuple[Path, ...] = ()
    workload: Workload | None = None
    workload_from: str = "default"
    project: str | None = None
    project_from: str = "default"
    users: bool = True
    users_from: str = "default"
    unsaid: tuple[str, ...] = ()

    @property
    def spool(self) -> Path:
        """Folder of the segments that recording processes append to."""
        return self.home / "spool"

    @property
    def told_to_children(self) -> dict[str, str]:
        """What this process was told and its children go by as well, as variables."""
        told = (
            (self.workload_from, WORKLOAD_VARIABLE, self.workload),
            (self.project_from, PROJECT_VARIABLE, self.project),
            (self.users_from, USERS_VARIABLE, str(int(self.users))),
        )
        return {name: said for source, name, said in told if said and source != "default"}


def load(
    home: str | os.PathLike[str] | None = None,
    *,
    max_spool: str | int | None = None,
    durability: str | None = None,
    workload: str | None = None,
    project: str | None = None,
    users: bool | None = None,
) -> Settings:
    """Read the settings from what is given here and from the environment.

    Args:
        home: Folder for the data.
        max_spool: What the spool may hold, as ``AGENTTRACE_MAX_SPOOL``: bytes, or ``2GB``.
        durability: As ``AGENTTRACE_DURABILITY``: ``process``, ``second`` or ``record``.
        workload: As ``AGENTTRACE_WORKLOAD``: ``agentic`` or ``user-facing``.
        project: As ``AGENTTRACE_PROJECT``.
        users: As ``AGENTTRACE_USERS``.

    Raises:
        ConfigError: The home names a file, or another setting is none.
    """
    chosen, source = _home(home, os.environ)
    if chosen.is_file():
        raise ConfigError(
            f"{chosen} is a file, and agenttrace keeps a folder there. "
            f"Name a folder with --store or {HOME_VARIABLE}."
        )
    children = os.environ.get(CHILDREN_VARIABLE, "").strip().lower()
    limit = os.environ.get(MAX_SPOOL_VARIABLE, "") if max_spool is None else max_spool
    kind, kind_from = _said(workload, WORKLOAD_VARIABLE)
    named, named_from = _said(project, PROJECT_VARIABLE)
    told, told_from = _said(None if users is None else str(int(users)), USERS_VARIABLE)
    known = workload_of(kind)
    unsaid = () if known or not kind else (not_a_workload(WORKLOAD_VARIABLE),)
    return Settings(
        home=chosen,
        home_from=source,
        disabled=os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true",
        export_otlp=_exports_otlp(os.environ),
        children=children not in _NO,
        children_from=CHILDREN_VARIABLE if children else "default",
        integrations=tuple(os.environ.get(INTEGRATIONS_VARIABLE, "").replace(",", " ").split()),
        max_spool_bytes=_limit(str(limit).strip()),
        durability=_durability(durability or os.environ.get(DURABILITY_VARIABLE) or "process"),
        factors=_factor_files(os.environ),
        workload=known,
        workload_from=kind_from if known else "default",
        project=named[:PROJECT_CHARACTERS] or None,
        project_from=named_from,
        users=told.lower() not in _NO,
        users_from=told_from,
        unsaid=unsaid,
    )


def load_told(home: str, told: Mapping[str, str]) -> Settings:
    """Read the settings of a process that its parent told *told*, as ``told_to_children`` has it.

    Raises:
        ConfigError: As ``load``.
    """
    users = told.get(USERS_VARIABLE)
    return load(
        home,
        workload=told.get(WORKLOAD_VARIABLE),
        project=told.get(PROJECT_VARIABLE),
        users=None if users is None else users.lower() not in _NO,
    )


def workload_of(said: object) -> Workload | None:
    """Return the workload that *said* names; None if it names none."""
    wanted = str(said).strip().lower()
    return wanted if _is_workload(wanted) else None


def not_a_workload(where: str) -> str:
    """Say that what *where* says is no workload, without repeating it: it may be anything."""
    return f"{where} is neither agentic nor user-facing, so it counts as unsaid"


def _is_workload(said: str) -> TypeGuard[Workload]:
    return said in get_args(Workload)


def _said(argument: str | None, variable: str) -> tuple[str, str]:
    """Return what is said and where; an empty text and ``default`` if nothing is."""
    if argument is not None and str(argument).strip():
        return str(argument).strip(), "argument"
    text = os.environ.get(variable, "").strip()
    return text, variable if text else "default"


def _factor_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    named = environ.get(FACTORS_VARIABLE, "").split(os.pathsep)
    return tuple(Path(name.strip()).expanduser().absolute() for name in named if name.strip())


def region() -> str | None:
    """Return where ``AGENTTRACE_REGION`` says that calls ran of which nothing else tells."""
    return os.environ.get(REGION_VARIABLE, "").strip() or None


def size_bytes(said: str) -> int | None:
    """Read a size such as ``500MB``, ``2 GB`` (powers of 1000), ``2GiB`` (of 1024) or ``4096``.

    Returns:
        Bytes; None if it is no size.
    """
    found = _SIZE.fullmatch(said.strip())
    if found is None:
        return None
    number, prefix, binary = found.groups()
    if binary and not prefix:
        return None
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[prefix.lower()])


def _limit(said: str) -> int | None:
    if said.lower() in ("", *_NO, "none"):
        return None
    found = size_bytes(said)
    if found is None:
        raise ConfigError(
            f"{MAX_SPOOL_VARIABLE} is {said!r}, which is no size. Say it as 2GB, 500MB or 2GiB."
        )
    return found


def _durability(said: str) -> Durability:
    wanted = said.strip().lower()
    if not _is_durability(wanted):
        raise ConfigError(
            f"{DURABILITY_VARIABLE} is {said!r}. Choose one of {', '.join(get_args(Durability))}."
        )
    return wanted


def _is_durability(said: str) -> TypeGuard[Durability]:
    return said in get_args(Durability)


def _home(argument: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> tuple[Path, str]:
    if argument is not None:
        return Path(argument).expanduser().absolute(), "argument"
    if named := environ.get(HOME_VARIABLE):
        return Path(named).expanduser().absolute(), HOME_VARIABLE
    # 15 ms to import, and rarely needed.
    import platformdirs

    return Path(platformdirs.user_data_path("agenttrace", appauthor=False)), "default"


def _exports_otlp(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() == "none":
        return False
    return bool(
        environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    )
