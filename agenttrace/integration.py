"""Find and switch on the integrations, and what each of them is built from.

An integration tells agenttrace who makes a call: which agent, which tool, as part of what. It is an
import package of its own, names a subclass of ``Instrumentor`` as an entry point of the group
``agenttrace.integrations``, and needs nothing of agenttrace but its public names and this module.
"""

import abc
import contextlib
import difflib
import functools
import importlib.util
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import TYPE_CHECKING, Any, ClassVar, Final, ParamSpec, TypeVar, cast

from agenttrace.errors import ConfigError, MissingDependencyError
from agenttrace.record import trouble
from agenttrace.record.patch import Wrap, replaced, when_imported
from agenttrace.record.reported import provider_name, token_count, token_usage
from agenttrace.record.underway import UnderWay

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import TracerProvider

    from agenttrace.record.invocation import Invocation

__all__ = [
    "GROUP",
    "Instrumentor",
    "UnderWay",
    "Wrap",
    "available",
    "carried",
    "extract",
    "guarded",
    "inject",
    "instrument",
    "joined",
    "nearest",
    "provider_name",
    "replaced",
    "token_count",
    "token_usage",
    "tracer_provider",
]

GROUP: Final = "agenttrace.integrations"

P = ParamSpec("P")
R = TypeVar("R")


class Instrumentor(abc.ABC):
    """Switches the hook into one framework on and off.

    Subclass it, and name the class as an entry point of ``GROUP``. The module of the subclass must
    not import the framework; ``hooked`` may.

    Attributes:
        distribution: The framework's name on the package index.
        module: The module that the hook needs. Where the program has not imported it yet, the hook
            goes in when it does, so that switching on all integrations costs no start-up time.
        hook: What is hooked, in a few words, for people.
        tested: The oldest and the newest version of *distribution* that it is tested with.
    """

    distribution: ClassVar[str]
    module: ClassVar[str]
    hook: ClassVar[str]
    tested: ClassVar[tuple[str, str]]

    _on: ClassVar[ExitStack | None] = None

    def __init_subclass__(cls) -> None:
        cls._on = None

    @abc.abstractmethod
    def hooked(self) -> AbstractContextManager[None]:
        """Return a context manager that puts the hook in, and takes it out when it is left."""

    def instrument(self) -> None:
        """Add the hook, now or when the framework is imported; a second time does nothing.

        Raises:
            MissingDependencyError: The framework is not installed.
        """
        cls = type(self)
        if cls._on is not None:
            return
        if not self.is_installed():
            raise MissingDependencyError(
                f"{self.distribution} is not installed. Install it, then call this again."
            )
        cls._on = ExitStack()
        cls._on.enter_context(when_imported(self.module, lambda _: self.hooked()))

    def uninstrument(self) -> None:
        """Take the hook out."""
        cls = type(self)
        hooks, cls._on = cls._on, None
        if hooks is not None:
            with trouble.Guard(f"taking the hook out of {self.distribution}"):
                hooks.close()

    @classmethod
    def is_installed(cls) -> bool:
        """Whether the framework can be imported here; it is not imported to see."""
        if cls.module in sys.modules:
            return True
        # A parent that is missing is an error to find_spec, and its import may be slow.
        if importlib.util.find_spec(cls.module.partition(".")[0]) is None:
            return False
        return cls.installed_version() is not None

    @classmethod
    def installed_version(cls) -> str | None:
        """Return the framework's version here; None if it is not installed."""
        try:
            return version(cls.distribution)
        except PackageNotFoundError:
            return None


def available() -> dict[str, type[Instrumentor]]:
    """Return every integration that is installed itself, by name, sorted.

    Raises:
        ConfigError: One of them cannot be loaded.
    """
    entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return {entry.name: _load(entry) for entry in entries}


def instrument(*names: str) -> tuple[str, ...]:
    """Add the hooks of the named integrations, or of all whose framework is installed.

    Returns:
        The names of the integrations that are now on, sorted.

    Raises:
        ConfigError: There is no such integration.
        MissingDependencyError: A named integration's framework is not installed.
    """
    from agenttrace.record import setup

    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    for name in names:
        if name not in known:
            raise ConfigError(_unknown(name, known))
    done: list[str] = []
    for name in sorted(names or known):
        kind = _load(known[name])
        if not kind.is_installed():
            if names:
                raise MissingDependencyError(
                    f"{name} needs {kind.distribution}, which is not installed: "
                    f'pip install "{kind.distribution}>={kind.tested[0]}"'
                )
            continue
        kind().instrument()
        done.append(name)
    setup.note_integrations(tuple(sorted({*setup.integrations(), *done})))
    return tuple(done)


def switch_on(names: Sequence[str]) -> None:
    """Add the hooks of those *names* whose framework is installed here; ``all`` is every one."""
    if "all" in names:
        instrument()
        return
    found = available()
    for name in names:
        if name not in found:
            trouble.logger.warning("%s", _unknown(name, found))
        elif found[name].is_installed():
            instrument(name)
        else:
            trouble.logger.info("%s is not recorded: it is not installed here", name)


def tracer_provider() -> "TracerProvider":
    """Return the provider for a framework that makes OpenTelemetry spans itself.

    Its spans go to the program's own provider where there is one. Otherwise they go to agenttrace
    and to nobody else; nothing is made global. That is decided when a span starts, so it may be
    asked for before the program has set up either. Calls ``configure()`` first if nobody ever has.
    """
    from agenttrace.record import setup
    from agenttrace.record.joined import JOINED

    setup.begin()
    return JOINED


def joined(scope: str) -> Wrap:
    """Return what wraps a method of a framework's tracer, such as ``start_span``.

    For a framework that takes no provider, and has asked for its tracer before anybody could give
    it one: as long as the program has set no global provider, the spans come to agenttrace, and to
    nobody else. A provider that the program has set, earlier or since, gets them as ever.

    Args:
        scope: The name of the tracer.
    """

    def wrap(original: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
        from opentelemetry import trace

        ours = getattr(tracer_provider().get_tracer(scope), original.__name__)

        @functools.wraps(original)
        def start(*args: Any, **kwargs: Any) -> Any:
            if not wanted():
                return original(*args, **kwargs)
            nobody = False
            with trouble.Guard("a span of a framework"):
                tracer_provider()  # joins what the program has set since
                nobody = isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
            return (ours if nobody else original)(*args, **kwargs)

        return start

    return wrap


def nearest(around: "Invocation | None") -> "Invocation | None":
    """Find what something begins in: what is current, if that is inside of *around*.

    Between two things that a framework tells of there may be frames of the user's own. But what is
    current can also belong elsewhere: in a thread, in a stream, or with the caller of what runs by
    itself. Without *around* it is what is current.
    """
    from agenttrace.record import setup

    here = setup.current()
    if around is None:
        return here
    inner = here
    while inner is not None and inner is not around:
        inner = inner.parent
    return around if inner is None else here


def inject() -> dict[str, str]:
    """Return what a program elsewhere needs to know of the current invocation, to work for it.

    Returns:
        The fields ``traceparent``, ``tracestate`` and ``baggage`` of the W3C, as far as they are
        needed; none where nothing is current.
    """
    from agenttrace.record import carrier, setup

    with trouble.Guard("the carrier of a request"):
        found = carrier.inject(setup.current(), {})
        return {name.lower(): value for name, value in found.items()}
    return {}


def extract(fields: Mapping[str, object]) -> "Invocation | None":
    """Return what stands for the invocation that asks for work, if the request names one.

    Attach it while the work is done. It is not recorded here, so it needs no end.

    Args:
        fields: What ``inject`` returned there, or other fields of the W3C. Without a task in its
            baggage, what is begun inside begins one.
    """
    from agenttrace.record import carrier

    with trouble.Guard("the carrier of a request"):
        said = {name.upper(): value for name, value in fields.items() if isinstance(value, str)}
        return carrier.extract(said)
    return None


@contextlib.contextmanager
def carried() -> Generator[None]:
    """Have OpenTelemetry's propagators carry the current invocation while the block runs.

    For a framework that injects OpenTelemetry's context into its requests itself. They must not be
    requests to a model provider, who is told nothing.
    """
    from opentelemetry import context

    before, made = context.get_current(), None
    with trouble.Guard("the carrier of a request"):
        made = _with_invocation(before)
        context.attach(made)
    try:
        yield
    finally:
        # By value, for a coroutine that is given up may be closed in another context.
        if made is not None and context.get_current() is made:
            context.attach(before)


def _with_invocation(here: "Context") -> "Context":
    from opentelemetry.baggage.propagation import W3CBaggagePropagator
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    from agenttrace.record import setup

    current, fields = setup.current(), inject()
    found = W3CBaggagePropagator().extract(fields, here)
    if current is None or current.is_seen_by_others:
        return found  # OpenTelemetry's current span is in its place already
    return TraceContextTextMapPropagator().extract(fields, found)


def guarded(doing: str) -> Callable[[Callable[P, R]], Callable[P, R | None]]:
    """Swallow what a function raises, say once what type it was, and return None then.

    ``@guarded("a CrewAI event")`` goes around whatever a framework calls, and around what a wrapped
    method does besides. The framework would log the error itself, with its text, and the text may
    quote a prompt.
    """

    def decorate(callback: Callable[P, R]) -> Callable[P, R | None]:
        @functools.wraps(callback)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R | None:
            try:
                return callback(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
                trouble.say(doing, error)
                return None

        return wrapper

    return decorate


def _unknown(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    meant = difflib.get_close_matches(name.lower().replace("-", "_"), names, n=1)
    hint = f"Did you mean {meant[0]}? " if meant else ""
    return f"No integration is called {name}. {hint}There is: {', '.join(names)}."


def _load(entry: EntryPoint) -> type[Instrumentor]:
    try:
        return cast("type[Instrumentor]", entry.load())
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"The integration {entry.name} cannot be loaded ({entry.value}: {error}). "
            "Reinstall or remove the package that brings it."
        ) from error
