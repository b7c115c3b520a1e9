"""Read which projects and services are agentic and which answer people: ``workloads.toml``.

    [project]
    "help desk" = "user-facing"

    [service]
    nightly = "agentic"

What a task says of itself goes before it, a project before a service.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from agenttrace.errors import ConfigError
from agenttrace.model import Workload

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAME: Final = "workloads.toml"
_SCHEMA: Final = Path(__file__).with_name("workloads.sql")


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    project: dict[str, Workload] = {}
    service: dict[str, Workload] = {}


@dataclass(frozen=True, slots=True)
class Setting:
    """What all tasks of a project, or of a service, are.

    Attributes:
        scope: ``project`` or ``service``.
        name: Of the project, or the ``service.name``.
        workload: ``agentic`` or ``user-facing``.
    """

    scope: str
    name: str
    workload: Workload


def define(connection: "DuckDBPyConnection", home: Path) -> None:
    """Create the table ``workload_setting``, with the settings in the folder *home*.

    Raises:
        ConfigError: The file cannot be read, or says something else.
    """
    found = settings(home)
    connection.execute(_SCHEMA.read_text(encoding="utf-8"))
    for one in found:
        row = [one.scope, one.name, one.workload]
        connection.execute("INSERT INTO workload_setting VALUES ($1, $2, $3)", row)


def settings(home: Path) -> tuple[Setting, ...]:
    """Return the settings in the folder *home*; none where it has no such file.

    Raises:
        ConfigError: The file cannot be read, or says something else.
    """
    path = home / NAME
    try:
        file = msgspec.toml.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Make it readable.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: {error}. Write it as [project] or [service] with lines such as "
            f'"help desk" = "user-facing".'
        ) from error
    return tuple(
        Setting(scope, name, workload)
        for scope, by_name in (("project", file.project), ("service", file.service))
        for name, workload in by_name.items()
    )
