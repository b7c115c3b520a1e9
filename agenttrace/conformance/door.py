"""What a program of the suite says to the tracer that is measured, whichever that is.

It is the only thing that the programs import besides what their authors would::

    from agenttrace.conformance.door import agent, configure, task

    configure()
    with task("answer"), agent("researcher"):
        ...

Which tracer is behind it, and which one is beside it, is said by the runner in the environment;
a child process that inherits the environment has the same ones.
"""

import functools
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from agenttrace.conformance.tracers import Tracer, load

# Several tracers, in the order in which they are configured; one of them is measured.
TRACERS: Final = "AGENTTRACE_CONFORMANCE_TRACERS"
MEASURED: Final = "AGENTTRACE_CONFORMANCE_MEASURED"
FOLDER: Final = "AGENTTRACE_CONFORMANCE_FOLDER"


@functools.cache
def _measured() -> Tracer:
    return load(os.environ[MEASURED])


def configure() -> None:
    """Start recording in this process, with every tracer that the run wants."""
    folder = Path(os.environ[FOLDER])
    for name in os.environ[TRACERS].split(","):
        measured = name == os.environ[MEASURED]
        tracer = _measured() if measured else load(name)
        tracer.configure(folder / ("measured" if measured else "beside"))


def task(name: str, **options: Any) -> AbstractContextManager[Any]:
    """Frame a task; *options* are ``session`` and ``headless``."""
    return _measured().frame("task", name, **options)


def agent(name: str) -> AbstractContextManager[Any]:
    """Frame an agent."""
    return _measured().frame("agent", name)


def tool(name: str) -> AbstractContextManager[Any]:
    """Frame a tool."""
    return _measured().frame("tool", name)


def role(name: str) -> AbstractContextManager[Any]:
    """Give the calls inside a role, where the tracer knows roles."""
    return _measured().frame("role", name)


def environ() -> dict[str, str]:
    """Return the environment with which a child process joins the task."""
    return _measured().environ()
