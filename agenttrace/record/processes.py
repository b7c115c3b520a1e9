"""Carry the current task into the processes of ``multiprocessing`` and of process pools.

A forked process inherits it. One that is spawned, or forked by a server, gets its ``Process``
object pickled; a passport travels in that, and to unpickle it starts recording. Pools and executors
keep their processes, so there each piece of work has a passport.
"""

import contextlib
import functools
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context
from opentelemetry.context import Context

from agenttrace.record import carrier, setup, trouble
from agenttrace.record.invocation import innermost
from agenttrace.record.patch import Wrap, each_replaced, when_imported
from agenttrace.record.threads import run_in

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from agenttrace.record.setup import Recording

# loky's are copies of the standard library's, and joblib has a copy of loky.
_EXECUTORS: Final = (
    "concurrent.futures.process",
    "loky.process_executor",
    "joblib.externals.loky.process_executor",
)
_PASSPORT: Final = "_agenttrace"
_AFTER_ALL_ELSE: Final = -100


@dataclass(frozen=True, slots=True)
class Passport:
    """What another process needs to record for this one.

    Attributes:
        home: Where to record.
        service_name: What the user calls this program.
        carried: Variables that name what is current; empty where nothing is.
        integrations: Names of the integrations that are on.
        told: Further settings, as variables.
    """

    home: str
    service_name: str | None
    carried: dict[str, str]
    integrations: tuple[str, ...]
    told: dict[str, str]


class _Boarding:
    """Is pickled with a process, and starts recording when it is unpickled there."""

    def __init__(self, passport: Passport) -> None:
        self._passport = passport

    def __reduce__(self) -> tuple[Callable[[Passport], None], tuple[Passport]]:
        return enter, (self._passport,)


@contextlib.contextmanager
def carried(recording: "Recording") -> Generator[None]:
    """Let processes record, each for what was current where it was started or given its work."""
    start: Wrap = functools.partial(_carrying_start, recording)
    submit: Wrap = functools.partial(_carrying_submit, recording)
    with contextlib.ExitStack() as hooks:
        process = each_replaced({"start": start}, of="BaseProcess")
        hooks.enter_context(when_imported("multiprocessing.process", process))
        for module in _EXECUTORS:
            executor = each_replaced({"submit": submit}, of="ProcessPoolExecutor")
            hooks.enter_context(when_imported(module, executor))
        hooks.enter_context(
            when_imported("multiprocessing.util", functools.partial(_finished, recording))
        )
        yield


def enter(passport: Passport) -> None:
    """Record in this process as *passport* says."""
    _join(passport, passport.carried)


def bind(recording: "Recording", function: Callable[..., Any]) -> Callable[..., Any]:
    """Return *function* as one that works for what is current now, in whatever process."""
    return functools.partial(work_for, _issue(recording), function)


def work_for(passport: Passport, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call *function* for what *passport* names, in a process that serves many."""
    before = context.get_current()
    with trouble.Guard("working for another process"):
        _join(passport, None)
        around = carrier.extract(passport.carried)
        mark = carrier.extract_mark(passport.carried)
        for scope in (around, mark):
            if scope is not None:
                scope.attach()
    try:
        return function(*args, **kwargs)
    finally:
        context.attach(before)


def _issue(recording: "Recording") -> Passport:
    return Passport(
        str(recording.settings.home),
        recording.service_name,
        recording.carried(),
        setup.integrations(),
        recording.settings.told_to_children,
    )


def _join(passport: Passport, carried: dict[str, str] | None) -> None:
    setup.join(passport.home, passport.service_name, carried, passport.integrations, passport.told)


def _carrying_start(
    recording: "Recording", start: Callable[..., None], wanted: Callable[[], bool]
) -> Callable[..., None]:
    @functools.wraps(start)
    def wrapper(self: "BaseProcess") -> None:
        if not wanted():
            start(self)
            return
        held = vars(self)
        with trouble.Guard("carrying a task into a process"):
            held[_PASSPORT] = _Boarding(_issue(recording))
        try:
            start(self)
        finally:
            held.pop(_PASSPORT, None)

    return wrapper


def _carrying_submit(
    recording: "Recording", submit: Callable[..., Future[Any]], wanted: Callable[[], bool]
) -> Callable[..., Future[Any]]:
    @functools.wraps(submit)
    def wrapper(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if not wanted() or innermost() is None:
            return submit(self, fn, *args, **kwargs)
        work = fn
        with trouble.Guard("carrying a task into a process"):
            work = bind(recording, fn)
        # The workers that this may start are there for all.
        return run_in(Context(), submit, self, work, *args, **kwargs)

    return wrapper


@contextlib.contextmanager
def _finished(recording: "Recording", util: ModuleType) -> Generator[None]:
    """Finish in processes of ``multiprocessing`` too, which leave without their exit handlers."""

    def when_it_ends(_: object) -> None:
        util.Finalize(None, setup.finish, exitpriority=_AFTER_ALL_ELSE)

    util.register_after_fork(recording, when_it_ends)
    yield
