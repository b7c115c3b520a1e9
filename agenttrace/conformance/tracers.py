"""What can be measured: agenttrace, and whatever else says what it recorded as rows."""

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Protocol, cast

from agenttrace.errors import ConfigError

GROUP: Final = "agenttrace.tracers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model call as a tracer recorded it. None is what it does not say.

    Attributes:
        model: Model that answered, else the one asked for.
        response_id: The provider's id of the response.
        task_id: Tells the runs of a task apart.
        task: Name of the task; None outside of any.
        agent: Name of the nearest agent; None outside of any.
        role: Role of the call.
        visible: Whether a person reads its output.
        failed: The attempt failed.
        http_status: HTTP status of the response.
        estimated: Some of the tokens are marked as an estimate.
        input_tokens: Input, cache reads and writes included.
        cache_read_tokens: Part of the input.
        cache_write_tokens: Part of the input.
        output_tokens: Output, reasoning included.
        reasoning_tokens: Part of the output.
    """

    model: str | None
    response_id: str | None = None
    task_id: str | None = None
    task: str | None = None
    agent: str | None = None
    role: str | None = None
    visible: bool | None = None
    failed: bool = False
    http_status: int | None = None
    estimated: bool = False
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


class Tracer(Protocol):
    """One tracer: the first three are called in the program's process, ``rows`` afterwards.

    A tracer is made without arguments, in each process anew.
    """

    def configure(self, folder: Path) -> None:
        """Start recording in this process, into *folder*."""
        ...

    def frame(self, kind: str, name: str, **options: Any) -> AbstractContextManager[Any]:
        """Frame a ``task``, an ``agent``, a ``tool`` or a ``role``; it decorates functions too."""
        ...

    def environ(self) -> dict[str, str]:
        """Return the environment with which a child process joins the task."""
        ...

    def rows(self, folder: Path) -> Sequence[Row]:
        """Return what was recorded into *folder*, in the order in which the calls began."""
        ...

    def version(self) -> str:
        """Return what is measured, with its version, such as ``agenttrace 0.1.0``."""
        ...


class AgentTrace:
    """agenttrace, with every integration that is installed."""

    def configure(self, folder: Path) -> None:
        """Start recording."""
        import agenttrace

        agenttrace.configure(folder)
        agenttrace.instrument()

    def frame(self, kind: str, name: str, **options: Any) -> AbstractContextManager[Any]:
        """Frame with agenttrace's own."""
        import agenttrace

        return cast("AbstractContextManager[Any]", getattr(agenttrace, kind)(name, **options))

    def environ(self) -> dict[str, str]:
        """Return the environment with its carriers."""
        import agenttrace

        return agenttrace.environ()

    def rows(self, folder: Path) -> Sequence[Row]:
        """Read the view ``model_call``."""
        from agenttrace import rollup
        from agenttrace.compare import workloads
        from agenttrace.store import Store

        # Not a Reader: it works out energies, too, which takes longer than the rest.
        with Store.open(folder, may_fold=False) as store:
            workloads.define(store.connection, folder)
            rollup.Definitions(store.connection, rollup.folders()).define("model_call")
            found = store.connection.execute("FROM model_call ORDER BY started_at, call_id")
            names = [column[0] for column in found.description]
            return [_row(dict(zip(names, call, strict=True))) for call in found.fetchall()]

    def version(self) -> str:
        """Return agenttrace's version."""
        from agenttrace import __version__

        return f"agenttrace {__version__}"


_SHARED: Final = (
    "model",
    "response_id",
    "task_id",
    "agent",
    "role",
    "http_status",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


def _row(call: dict[str, Any]) -> Row:
    return Row(
        **{name: call[name] for name in _SHARED},
        task=call["task_name"],
        visible=not call["hidden"],
        failed=call["status"] == "error",
        estimated=call["usage"] == "estimated",
    )


def load(name: str) -> Tracer:
    """Make the tracer that *name* says: built in, of an entry point, or ``module:attribute``.

    Raises:
        ConfigError: There is none.
    """
    if name == "agenttrace":
        return AgentTrace()
    if ":" not in name:
        found = {entry.name: entry.value for entry in entry_points(group=GROUP)}
        if name not in found:
            known = ", ".join(sorted({"agenttrace", *found}))
            raise ConfigError(
                f"no tracer is called {name}. There is: {known}; or say it as module:attribute."
            )
        name = found[name]
    module, _, attribute = name.partition(":")
    # A console script does not look into the folder it is started in.
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        return cast("Tracer", getattr(importlib.import_module(module), attribute)())
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the tracer {name} cannot be loaded: {error}") from error


def search_path() -> str:
    """Return ``PYTHONPATH`` for a program, so that it finds the tracers that are found here."""
    return os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(Path.cwd()))))
