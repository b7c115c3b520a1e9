"""Start recording in this process: join the tracer provider that exists, or make one."""

import atexit
import contextlib
import functools
import os
import sys
import threading
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry import trace
from opentelemetry.context import Context

from agenttrace import __version__, config, semconv
from agenttrace.errors import ConfigError
from agenttrace.model import Kind, Role, Workload
from agenttrace.record import carrier, local, readable, trouble, users
from agenttrace.record.invocation import Invocation, innermost
from agenttrace.record.mark import Mark, current_mark
from agenttrace.record.recorder import METER_SCOPE, SCOPE, Attributes, Recorder
from agenttrace.record.spool import Spool

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


_LAST_EXPORT_SECONDS: Final = 2.0


class Recording:
    """What is switched on in this process, and how to switch it off.

    Attributes:
        settings: Where it records, and what.
        recorder: What it records with; None where it does not.
        service_name: What the user calls this program.
        is_automatic: It began because of what the parent process left, not because of a call here.
        parent: What stands for the invocation that this process works for.
        mark: What the parent process says about the calls in this one.
        says: What it says of every task that does not say it itself, and of calls in none.
        scope: Instrumentation scope of what it records.
    """

    def __init__(
        self, settings: config.Settings, *, is_automatic: bool = False, scope: str = SCOPE
    ) -> None:
        self.settings = settings
        self.scope = scope
        self.recorder: Recorder | None = None
        self.service_name: str | None = None
        self.is_automatic = is_automatic
        self.parent: Invocation | None = None
        self.mark: Mark | None = None
        self.says: Attributes = _said_of_all(settings)
        self._undo = contextlib.ExitStack()
        self._hooks = contextlib.ExitStack()
        self._provider: TracerProvider | None = None
        self._own: TracerProvider | None = None  # that nobody asked for but a framework
        self._exporting: TracerProvider | None = None
        self._exports = False  # the provider that is joined is the one that exports
        self._heard: TracerProvider | None = None  # whose spans of others are kept

    def start(self, service_name: str | None, provider: "TracerProvider | None") -> None:
        """Join or make a tracer provider, open the spool, and install the meter."""
        self.service_name = service_name
        for sentence in self.settings.unsaid:
            trouble.say("reading the settings", ConfigError(sentence))
        joined = _of_the_sdk(provider) or _existing_provider()
        if joined is None and self.settings.export_otlp:
            with trouble.Guard("setting up the OTLP exporter"):
                joined = self._exporting_provider(service_name)
        spool = Spool(
            self.settings.spool,
            _service_name(service_name, joined),
            durability=self.settings.durability,
            max_bytes=self.settings.max_spool_bytes,
        )
        self._undo.callback(spool.close)
        self._undo.callback(self._end_export)
        if joined is None:
            self.recorder = self._alone(spool)
        else:
            self._exports = joined is self._exporting
            self._join(joined, spool)
        self.take_parent(_state.carried or os.environ)
        self._hooks.enter_context(self._hooked())

    @contextlib.contextmanager
    def _hooked(self) -> Generator[None]:
        from agenttrace.record import greenlets, pools, processes, programs, threads
        from agenttrace.record.wire import meter

        with contextlib.ExitStack() as hooks:
            hooks.enter_context(threads.carried())
            hooks.enter_context(greenlets.carried())
            if self.settings.children:
                hooks.enter_context(pools.carried(functools.partial(processes.bind, self)))
                hooks.enter_context(processes.carried(self))
                hooks.enter_context(programs.carried(self.environment_for))
            else:
                hooks.enter_context(pools.carried(None))
            hooks.enter_context(meter.installed())
            yield

    def take_parent(self, carried: Mapping[str, str]) -> None:
        """Work for the invocation of another process that *carried* names, if it names one."""
        with trouble.Guard("reading the parent process's context"):
            self.parent = carrier.extract(carried)
            self.mark = carrier.extract_mark(carried)

    def current(self) -> Invocation | None:
        """Return the invocation that is current, else the one in the parent process."""
        return innermost() or self.parent

    def carried(self) -> dict[str, str]:
        """Return the variables with which another process works for what is current here."""
        return carrier.inject(self.current(), {}, current_mark() or self.mark)

    def environment_for(self, given: Mapping[Any, Any] | None) -> Mapping[Any, Any] | None:
        """Return what to start a program with that joins what is current; *given* if nothing is."""
        around = self.current()
        if around is None:
            return given
        mark = current_mark() or self.mark
        return carrier.environment(
            around,
            self.settings.home,
            given,
            mark=mark,
            integrations=_state.integrations,
            told=self.settings.told_to_children,
        )

    def join_late(self) -> None:
        """Move over to the global provider, if the program has set one since."""
        if self.recorder is None or not (self.recorder.is_alone or self._own is self._provider):
            return
        found = _existing_provider()
        if found is None:
            return
        with _state.lock:
            if self.recorder.is_alone or self._own is self._provider:
                self._exports = False
                self._join(found, self.recorder.spool)

    def provider(self) -> "trace.TracerProvider":
        """Return the provider for a framework's spans; make one that tells nobody where none is."""
        self.join_late()
        with _state.lock:
            if self.recorder is None:
                return trace.get_tracer_provider()
            if self._exports:
                # Ours, but not theirs: they hold what was said, and would take it to the collector.
                return self._beside(self.recorder)
            if self._provider is None:
                self._own = _telling_nobody()
                self._join(self._own, self.recorder.spool)
            return self._provider or trace.get_tracer_provider()

    def _beside(self, recorder: Recorder) -> "TracerProvider":
        """Return the program's provider, or one of our own, beside the one that exports."""
        found = _existing_provider()
        if found is None:
            found = self._own = self._own or _telling_nobody()
        if found is not self._heard:
            self._hear(found, recorder)
        return found

    def _join(self, provider: "TracerProvider", spool: Spool) -> None:
        self._provider = provider
        tracer = provider.get_tracer(SCOPE, __version__)
        self.recorder = Recorder(tracer.start_span, spool, scope=self.scope)
        self._hear(provider, self.recorder)

    def _alone(self, spool: Spool) -> Recorder:
        return Recorder(local.start_span, spool, is_alone=True, scope=self.scope)

    def _hear(self, provider: "TracerProvider", recorder: Recorder) -> None:
        """Keep what others make with *provider*."""
        from agenttrace.record import foreign

        self._heard = provider
        processor = foreign.ForeignSpans(recorder)
        self._undo.callback(processor.shutdown)
        provider.add_span_processor(processor)

    def _exporting_provider(self, service_name: str | None) -> "TracerProvider":
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        named = {semconv.SERVICE_NAME: service_name} if service_name else {}
        # Ended by our own atexit function, after the spans that are still under way.
        provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        self._exporting = provider
        provider.add_span_processor(BatchSpanProcessor(_otlp_exporter()))
        return provider

    def flush(self) -> None:
        """Hand what exporters still hold to them; the spool is already written."""
        if self._provider is not None:
            self._provider.force_flush()

    def finish(self) -> None:
        """Hand over what there is, for the process ends; what still happens is recorded as well."""
        if self.recorder is None:
            return
        spool = self.recorder.spool
        # What is still open in the meter ends with its hooks.
        self._hooks.close()
        if self._exporting is not None:
            self.recorder = self._alone(spool)
        # Before the collector is waited for: other threads make calls meanwhile.
        self._hooks.enter_context(self._hooked())
        self._end_export()
        spool.close()

    def stop(self) -> None:
        """Undo everything, latest first."""
        self.recorder = None
        self._hooks.close()
        self._undo.close()

    def _end_export(self) -> None:
        exporting, self._exporting = self._exporting, None
        if exporting is not None:
            _shut_down(exporting)


class _State:
    """The one recording of this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.recording: Recording | None = None
        self.untouched = True  # neither configured nor shut down by anybody
        self.carried: Mapping[str, str] | None = None  # by a parent process, not by the environment
        self.integrations: tuple[str, ...] = ()  # by name, those that are on


_state: Final = _State()


def configure(
    home: str | os.PathLike[str] | None = None,
    *,
    service_name: str | None = None,
    tracer_provider: "TracerProvider | None" = None,
    max_spool: str | int | None = None,
    durability: config.Durability | None = None,
    workload: Workload | None = None,
    project: str | None = None,
    users: bool | None = None,
) -> None:
    """Start recording every model call of this process. Never raises.

    Joins *tracer_provider*, or the global OpenTelemetry SDK provider, also when the program sets
    one later. Where there is none, makes what is needed: a provider that exports where
    ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set, else spans that have ids only. It is not made global,
    for that is the program's choice. Does nothing when ``OTEL_SDK_DISABLED`` is true. Calling it
    again does nothing, or moves to the *home* that is named.

    Args:
        home: Folder for the data; default ``AGENTTRACE_HOME``, else the user's data folder.
        service_name: Name of this program; default ``OTEL_SERVICE_NAME``.
        tracer_provider: The OpenTelemetry SDK provider to join.
        max_spool: What the spool may hold, such as ``"2GB"``; beyond it records are lost and
            counted. Default ``AGENTTRACE_MAX_SPOOL``, else there is no limit.
        durability: What a record outlives: the ``process`` (``kill -9``), or a power failure, but
            for the last ``second`` or with every ``record``. Default ``AGENTTRACE_DURABILITY``,
            else ``process``. Child processes go by the environment.
        workload: What the tasks of this process are that do not say it, and the calls in none:
            ``agentic`` or ``user-facing``. Default ``AGENTTRACE_WORKLOAD``, else unsaid.
        project: What they are work on. Default ``AGENTTRACE_PROJECT``, else unsaid.
        users: False keeps no hash of who prompted. Default ``AGENTTRACE_USERS``, else True.
    """
    with trouble.Guard("setting up"), _state.lock:
        running = _state.recording
        if running is not None:
            said = (service_name, tracer_provider, max_spool, durability, workload, project, users)
            is_said = any(one is not None for one in said)
            moves = home is not None and config.load(home).home != running.settings.home
            if not moves and not (running.is_automatic and is_said):
                running.is_automatic = False
                return
            home = home or running.settings.home
        _state.untouched = False
        settings = config.load(
            home,
            max_spool=max_spool,
            durability=durability,
            workload=workload,
            project=project,
            users=users,
        )
        _begin(settings, service_name, tracer_provider)


def begin_for_parent() -> None:
    """Start recording because the environment of this process says so. Never raises."""
    with trouble.Guard("setting up"), _state.lock:
        if _state.untouched:
            _state.untouched = False
            _begin(config.load(), None, None, is_automatic=True)


def begin_for_others(home: Path, service_name: str) -> None:
    """Start recording what others send through this process. Never raises.

    What they record of it themselves is believed before it.
    """
    with trouble.Guard("setting up"), _state.lock:
        _state.untouched = False
        _begin(config.load(home), service_name, None, scope=METER_SCOPE)


def integrations() -> tuple[str, ...]:
    """Return the names of the integrations that are on, and that children switch on too."""
    return _state.integrations


def note_integrations(names: tuple[str, ...]) -> None:
    """Note which integrations are on."""
    _state.integrations = names


def join(
    home: str,
    service_name: str | None,
    carried: Mapping[str, str] | None = None,
    integrations: tuple[str, ...] = (),
    told: Mapping[str, str] | None = None,
) -> None:
    """Record in this process as its parent process does. Never raises.

    Args:
        home: Where to record, unless it already does.
        service_name: What the user calls the program.
        carried: Variables that name the invocation that this process works for.
        integrations: Those that are on there.
        told: Further settings, as variables.
    """
    with trouble.Guard("joining the parent process"), _state.lock:
        if carried is not None:
            _state.carried = carried
            if _state.recording is not None:
                _state.recording.take_parent(carried)
        if _state.untouched:
            _state.untouched = False
            settings = config.load_told(home, told or {})
            _begin(settings, service_name, None, is_automatic=True)
            _switch_on(integrations)


def _switch_on(names: tuple[str, ...]) -> None:
    if names:
        # It leans on what is here, and is needed only where somebody names one.
        from agenttrace import integration

        with trouble.Guard("switching on integrations"):
            integration.switch_on(names)


def _begin(
    settings: config.Settings,
    service_name: str | None,
    tracer_provider: "TracerProvider | None",
    *,
    is_automatic: bool = False,
    scope: str = SCOPE,
) -> None:
    shutdown()
    trouble.forget()
    recording = Recording(settings, is_automatic=is_automatic, scope=scope)
    if settings.disabled:
        trouble.logger.info("agenttrace records nothing: OTEL_SDK_DISABLED is true")
    else:
        try:
            recording.start(service_name, tracer_provider)
        except BaseException:
            recording.stop()
            raise
    _state.recording = recording
    _switch_on(settings.integrations)


def start(
    kind: Kind,
    name: str,
    *,
    parent: Invocation | None = None,
    task_id: str | None = None,
    session_id: str | None = None,
    role: str | None = None,
    visible: bool | None = None,
    workload: Workload | None = None,
    headless: bool | None = None,
    attributes: Attributes | None = None,
    project: str | None = None,
    user: str | None = None,
) -> Invocation:
    """Start an invocation; calls ``configure()`` first if nobody ever has. Never raises.

    Args:
        kind: ``task``, ``agent``, ``tool``, ``step`` or ``inference``.
        name: What people call it.
        parent: The invocation around it; default the current one.
        task_id: Id of the task that begins here; default a new one.
        session_id: The conversation; default that of the parent.
        role: Role of the calls inside; default by the nearest agent or tool.
        visible: A person reads the output of this model call.
        workload: ``agentic`` or ``user-facing``; where a task begins.
        headless: Nobody reads the answer of this task; where a task begins.
        attributes: More attributes, spelt as in ``agenttrace.semconv``; other keys are let go, as
            ``Invocation.set`` does.
        project: What the task that begins here is work on.
        user: Who prompted, in the task that begins here; only a keyed hash of it is written.
    """
    if _state.untouched:
        configure()
    try:
        return _begun(
            kind,
            name,
            parent=parent,
            task_id=None if task_id is None else str(task_id),
            session_id=None if session_id is None else str(session_id),
            role=role,
            visible=visible,
            workload=workload,
            headless=headless,
            attributes=readable.of(attributes) if attributes else None,
            project=project,
            user_hash=None if user is None else user_hash(user),
        )
    except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
        trouble.say(f"starting a {kind}", error)
        return Invocation(None, kind, name)


def start_call(name: str, attributes: Attributes, usual_role: Role | None = None) -> Invocation:
    """Start a model call that the meter sees. Never raises.

    Args:
        name: The model, or what is done with it.
        attributes: All that is known of it; they are kept as they are.
        usual_role: Its role, where nobody knows a better one.
    """
    try:
        return _begun("inference", name, attributes=attributes, usual_role=usual_role)
    except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
        trouble.say("starting a call", error)
        return Invocation(None, "inference", name)


def _begun(
    kind: Kind,
    name: str,
    *,
    parent: Invocation | None = None,
    role: str | None = None,
    visible: bool | None = None,
    **options: Any,
) -> Invocation:
    """Begin in what is around, here or in the parent process."""
    recording = _state.recording
    around = parent or innermost()
    if around is None and recording is not None:
        recording.join_late()
        around = recording.parent
    if recording is not None and recording.mark is not None and current_mark() is None:
        role = role or recording.mark.role
        visible = recording.mark.visible if visible is None else visible
    return Invocation(
        recording.recorder if recording else None,
        kind,
        name,
        parent=around,
        role=role,
        visible=visible,
        process_says=recording.says if recording else None,
        **options,
    )


def recorder() -> Recorder | None:
    """Return what this process records with; None where it does not."""
    return None if _state.recording is None else _state.recording.recorder


def process_says() -> Attributes:
    """Return what this process says of every task that does not say it itself."""
    return {} if _state.recording is None else _state.recording.says


def user_hash(user: object) -> str | None:
    """Return the keyed hash of *user*; None where none may be, or can be, kept. Never raises."""
    recording = _state.recording
    if recording is None or recording.recorder is None or not recording.settings.users:
        return None
    with trouble.Guard("keeping who prompted"):
        return users.hashed(recording.settings.home, str(user)) if str(user).strip() else None
    return None


def current(here: Context | None = None) -> Invocation | None:
    """Return the invocation that is current in *here*, else the one in the parent process.

    Args:
        here: An OpenTelemetry context; default the current one.
    """
    found = innermost(here)
    if found is None and _state.recording is not None:
        return _state.recording.parent
    return found


def begin() -> None:
    """Call ``configure()`` if nobody ever has, and join the provider that the program has set."""
    if _state.untouched:
        configure()
    elif _state.recording is not None:
        _state.recording.join_late()


def tracer_provider() -> "trace.TracerProvider":
    """Return the provider that recording has joined, or one of its own; see ``integration``."""
    begin()
    recording = _state.recording
    return trace.get_tracer_provider() if recording is None else recording.provider()


def environ() -> dict[str, str]:
    """Return a copy of the environment with which a child process joins the current task.

    ``subprocess`` gets it by itself; this is for what starts programs in another way. Adds
    ``TRACEPARENT`` and ``BAGGAGE`` (OpenTelemetry's environment carriers), ``AGENTTRACE_HOME``, and
    on ``PYTHONPATH`` what starts recording in a child that is a Python. Where
    ``AGENTTRACE_CHILDREN`` is 0 the last is left out, and the child calls
    ``agenttrace.configure()``.
    """
    found = dict(os.environ)
    with trouble.Guard("the environment of a child"):
        recording = _state.recording
        if recording is None:
            return found | carrier.inject(current(), os.environ)
        mark = current_mark() or recording.mark
        starts = recording.settings.children and recording.recorder is not None
        home = recording.settings.home
        return carrier.environment(
            recording.current(),
            home,
            mark=mark,
            integrations=_state.integrations if starts else (),
            told=recording.settings.told_to_children,
            starts=starts,
        )
    return found


def flush() -> None:
    """Wait until what was recorded is handed on to OTLP; the spool is always up to date."""
    with trouble.Guard("flushing"):
        if _state.recording is not None:
            _state.recording.flush()


def shutdown() -> None:
    """Stop recording in this process and take out every hook, until the next ``configure()``."""
    with trouble.Guard("shutting down"), _state.lock:
        _state.untouched = False
        recording, _state.recording = _state.recording, None
        if recording is not None:
            recording.stop()


def _said_of_all(settings: config.Settings) -> Attributes:
    said = {semconv.WORKLOAD: settings.workload, semconv.PROJECT: settings.project}
    return {key: value for key, value in said.items() if value is not None}


def _existing_provider() -> "TracerProvider | None":
    # Unless it is imported nobody has made an SDK provider, and importing it takes 0.2 s.
    if "opentelemetry.sdk.trace" not in sys.modules:
        return None
    return _of_the_sdk(trace.get_tracer_provider())


def _telling_nobody() -> "TracerProvider":
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    return TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)


def _of_the_sdk(provider: object) -> "TracerProvider | None":
    """Return *provider* if it is one of the SDK, or one like Logfire's that wraps one."""
    joinable = callable(getattr(provider, "add_span_processor", None))
    return cast("TracerProvider", provider) if joinable else None


def _shut_down(provider: "TracerProvider") -> None:
    """Send what is left, but let no collector that does not answer keep the program from ending."""
    sending = threading.Thread(target=provider.shutdown, name="agenttrace-otlp", daemon=True)
    sending.start()
    sending.join(_LAST_EXPORT_SECONDS)


def _otlp_exporter() -> Any:
    """Make the exporter that ``OTEL_EXPORTER_OTLP_*`` asks for; the protocol default is HTTP."""
    protocol = os.environ.get(
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    )
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    return OTLPSpanExporter()


def _service_name(named: str | None, provider: "TracerProvider | None") -> str:
    resource = getattr(provider, "resource", None)
    if resource is not None:
        return str(resource.attributes.get(semconv.SERVICE_NAME, ""))
    program = Path(sys.argv[0]).name if sys.argv else ""
    return named or os.environ.get("OTEL_SERVICE_NAME") or program or "python"


def finish() -> None:
    """Hand over what was recorded, for this process ends. Never raises."""
    with trouble.Guard("finishing"), _state.lock:
        if _state.recording is not None:
            _state.recording.finish()


def _after_fork() -> None:
    # Another thread of the parent may have held it.
    _state.lock = threading.RLock()


atexit.register(finish)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
