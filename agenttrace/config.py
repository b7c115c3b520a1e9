"""Settings: one frozen value; every value knows where it came from."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agenttrace.errors import ConfigError

HOME_VARIABLE = "AGENTTRACE_HOME"
CHILDREN_VARIABLE = "AGENTTRACE_CHILDREN"
INTEGRATIONS_VARIABLE = "AGENTTRACE_INTEGRATIONS"

_NO = ("0", "false", "no", "off")


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
    """

    home: Path
    home_from: str
    disabled: bool
    export_otlp: bool
    children: bool = True
    children_from: str = "default"
    integrations: tuple[str, ...] = ()

    @property
    def spool(self) -> Path:
        """Folder of the segments that recording processes append to."""
        return self.home / "spool"


def load(home: str | os.PathLike[str] | None = None) -> Settings:
    """Read the settings from *home* and the environment.

    Raises:
        ConfigError: The home names a file.
    """
    chosen, source = _home(home, os.environ)
    if chosen.is_file():
        raise ConfigError(
            f"{chosen} is a file, and agenttrace keeps a folder there. "
            f"Name a folder with --store or {HOME_VARIABLE}."
        )
    children = os.environ.get(CHILDREN_VARIABLE, "").strip().lower()
    return Settings(
        home=chosen,
        home_from=source,
        disabled=os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true",
        export_otlp=_exports_otlp(os.environ),
        children=children not in _NO,
        children_from=CHILDREN_VARIABLE if children else "default",
        integrations=tuple(os.environ.get(INTEGRATIONS_VARIABLE, "").replace(",", " ").split()),
    )


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
