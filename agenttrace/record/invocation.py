"""One operation being recorded: started, current for a while, and stopped or failed.

A task, an agent, a tool, a step of a workflow, or one model call. Nothing here raises into the
user's program, and nothing keeps a prompt, a completion or the text of an error.
"""

import os
import time
import uuid
from types import ModuleType
from typing import TYPE_CHECKING, Final

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode

from agenttrace import semconv
from agenttrace.config import PROJECT_CHARACTERS, not_a_workload, workload_of
from agenttrace.errors import ConfigError
from agenttrace.model import Kind, Outcome, Role, TokenUsage, Workload
from agenttrace.record import local, readable, suppression, trouble
from agenttrace.record.mark import current_mark
from agenttrace.record.readable import AttributeValue
from agenttrace.record.recorder import Attributes, Recorder

if TYPE_CHECKING:
    from agenttrace.record.flight import Slot


_OPEN_SPANS: Final = 10_000  # spans of other instrumentations that never end are forgotten beyond
_CURRENT: Final = context.create_key("agenttrace-invocation")

_OPERATION_OF: Final[dict[Kind, str]] = {
    "task": semconv.INVOKE_WORKFLOW,
    "agent": semconv.INVOKE_AGENT,
    "tool": semconv.EXECUTE_TOOL,
}


class Invocation:
    """One operation being recorded.

    Attributes:
        kind: ``task``, ``agent``, ``tool``, ``step`` or ``inference``.
        name: What people call it: the agent's name, the tool's name, the model.
        parent: The invocation around it; None for the first in this process.
        task_id: The task it belongs to; None for a model call outside of any task.
        task_name: What people call that task.
        session_id: The conversation it belongs to, if that is known.
        agent: Name of the nearest enclosing agent; an agent's own name for itself.
        agent_span_id: Span id of that agent, 16 hex digits.
        agent_depth: How many agents are around: 0 for none, 1 inside the root agent.
        role: The role of this call, or of the calls inside that are not told another.
        visible: Whether a person reads the output, where somebody has said so.
        ended: It was stopped, failed or discarded.
        wire_calls: Model calls that the meter saw directly inside.
    """

    __slots__ = (
        "_attributes",
        "_context",
        "_elsewhere",
        "_inside",
        "_loose",
        "_parent_span_id",
        "_pid",
        "_previous",
        "_recorder",
        "_shown",
        "_shown_turns",
        "_slot",
        "_span",
        "_start_ns",
        "_started",
        "agent",
        "agent_depth",
        "agent_span_id",
        "ended",
        "kind",
        "name",
        "parent",
        "role",
        "session_id",
        "task_id",
        "task_name",
        "visible",
        "wire_calls",
    )

    def __init__(
        self,
        recorder: Recorder | None,
        kind: Kind,
        name: str,
        *,
        parent: "Invocation | None" = None,
        task_id: str | None = None,
        session_id: str | None = None,
        role: str | None = None,
        visible: bool | None = None,
        workload: Workload | None = None,
        project: str | None = None,
        headless: bool | None = None,
        user_hash: str | None = None,
        attributes: Attributes | None = None,
        usual_role: Role | None = None,
        process_says: Attributes | None = None,
    ) -> None:
        """Start now; without a *recorder* it holds its place in the context and is not recorded.

        *attributes* are kept as they are; *usual_role* is that of such a call where nobody knows a
        better one; *process_says* is said of every task that does not say it itself.
        """
        self._start_ns = time.time_ns()
        self._started = time.perf_counter_ns()
        self.kind: Kind = kind
        self.name = name
        self.parent = parent
        self.ended = False
        self.wire_calls = 0
        self._recorder = recorder
        self._pid = os.getpid()
        self._loose = False
        self._shown_turns = 0
        self._elsewhere = False
        self._previous: Context | None = None
        self._inside: Context | None = None
        self._context: Context | None = None
        self._shown: Span = trace.INVALID_SPAN
        self._inherit(parent)
        if session_id is not None:
            self.session_id = session_id
        begins_task = self._take_place(kind, name, task_id)
        _take_mark(self, role, visible=visible)
        if usual_role is not None and self.role in ("main", "subagent"):
            self.role = usual_role
        self._attributes = self.place()
        self._attributes[semconv.KIND] = kind
        if process_says and (begins_task or self.task_id is None):
            self._attributes.update(process_says)
        if begins_task:
            own = _task_attributes(workload, project, user_hash, headless=headless)
            self._attributes.update(own)
        if attributes:
            self._attributes.update(attributes)
        self._start_span()
        self._slot: Slot | None = None
        if self._recorder is not None:
            self._slot = self._recorder.begin(
                context=self._span.get_span_context(),
                parent_span_id=self._parent_span_id,
                name=self.name,
                start_ns=self._start_ns,
                attributes=self._attributes,
            )

    @classmethod
    def remote(
        cls,
        span_context: SpanContext,
        *,
        task_id: str | None,
        task_name: str | None,
        session_id: str | None,
        agent: str | None,
        agent_span_id: str | None,
        agent_depth: int,
        role: str,
    ) -> "Invocation":
        """Stand for the invocation of the parent process that this process works for."""
        self = cls(None, "step", "parent process")
        self._span = NonRecordingSpan(span_context)
        self.task_id, self.task_name, self.session_id = task_id, task_name, session_id
        self.agent, self.agent_span_id, self.agent_depth = agent, agent_span_id, agent_depth
        self.role = role
        return self

    @classmethod
    def elsewhere(
        cls, span_context: SpanContext, kind: Kind, name: str, parent: "Invocation | None"
    ) -> "Invocation":
        """Stand for an agent or a tool whose span another instrumentation makes and records."""
        self = cls(None, kind, name, parent=parent)
        self._elsewhere = True
        self._span = NonRecordingSpan(span_context)
        if kind == "agent":
            self.agent_span_id = f"{span_context.span_id:016x}"
        return self

    @property
    def is_seen_by_others(self) -> bool:
        """It is a span of an SDK, so other instrumentations may build on it.

        Otherwise it is not made OpenTelemetry's current span: clients that send the current trace
        context along would send it to model providers, which they do not do without us.
        """
        return self._elsewhere or (self._recorder is not None and not self._recorder.is_alone)

    @property
    def left_over(self) -> bool:
        """It has ended and was not detached where it was attached."""
        return self.ended and self._loose

    @property
    def span_context(self) -> SpanContext:
        """Trace id and span id."""
        return self._span.get_span_context()

    def set(self, attributes: Attributes) -> None:
        """Add attributes; the keys are those of the GenAI conventions (``agenttrace.semconv``).

        Other keys are let go, for what is in them may be what was said; so are values that are no
        text, number or truth value. Never raises.
        """
        with trouble.Guard("attributes"):
            self._attributes.update(readable.of(attributes))

    def note(self, attributes: Attributes) -> None:
        """Add attributes that agenttrace has made itself, without a look at their keys."""
        self._attributes.update(attributes)

    def outcome(self, what: Outcome, reference: str | None = None) -> None:
        """Tell what became of the task that this belongs to, also when it has ended. Never raises.

        Args:
            what: ``success``, ``failure`` or ``abandoned``; what is told last counts.
            reference: What it can be looked up by, such as a ticket; 200 characters are kept.
        """
        _telling().outcome(self, what, reference)

    def user_turn(self, count: int = 1) -> None:
        """Tell of *count* prompts by a person in the task that this belongs to. Never raises."""
        _telling().user_turn(self, count)

    def user(self, id: str) -> None:  # noqa: A002 - the word that users know
        """Tell who prompted in the task that this belongs to. Never raises.

        Args:
            id: Anything that is one user's alone; only a keyed hash of it is written.
        """
        _telling().user(self, id)

    def show(self, told: Attributes) -> None:
        """Add to the open span for OpenTelemetry what the spool has a record of its own for."""
        if self.ended or self._pid != os.getpid() or not self._span.is_recording():
            return
        turns = told.get(semconv.USER_TURNS)
        if isinstance(turns, int):
            self._shown_turns += turns
            told = {**told, semconv.USER_TURNS: self._shown_turns}
        self._span.set_attributes(told)

    def usage(self, usage: TokenUsage) -> None:
        """Add the tokens of a model call; what is None stays unsaid."""
        self._attributes.update(usage_attributes(usage))

    def attach(self, *, loose: bool = False) -> None:
        """Make this the current invocation, for agenttrace and as OpenTelemetry's current span.

        Args:
            loose: The matching ``detach`` may happen in a copy of this context, as it does in a
                framework's callbacks; what is still attached after the end is then a leftover.
                Otherwise an invocation that is current after its end has work that outlives it.
        """
        try:
            self._loose = loose
            self._previous = _without_leftovers(context.get_current())
            self._context = self._made_current(self._previous)
            context.attach(self._context)
        except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("a context", error)

    def detach(self) -> None:
        """Restore what was current before."""
        try:
            # Attaching the previous context works in a copy of the context too; a token does not.
            # Where something else is current, this is not the context that it was attached in.
            if self._previous is not None and self.is_current():
                context.attach(self._previous)
            if not self._loose:
                self._previous = None
        except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("a context", error)

    def suspend(self) -> None:
        """Restore what was current before, until ``resume``: a generator yields."""
        self._inside = context.get_current()
        if self._previous is not None:
            context.attach(self._previous)

    def resume(self) -> None:
        """Make current what was current inside when it was suspended."""
        self._previous = context.get_current()
        if self._inside is not None:
            context.attach(self._inside)

    def is_current(self) -> bool:
        """Whether it is the current invocation here, leftovers of callbacks aside."""
        return context.get_value(_CURRENT, _without_leftovers(context.get_current())) is self

    def stop(self) -> None:
        """End it: it went well."""
        self._end("ok")

    def fail(self, error: BaseException | str) -> None:
        """End it: it failed.

        Args:
            error: The exception, of which only the type is kept, for its text may quote a prompt;
                or the name of its type.
        """
        kind = error if isinstance(error, str) else type(error).__qualname__
        self._attributes[semconv.ERROR_TYPE] = kind
        self._end("error")

    def end(self, error: BaseException | str | None) -> None:
        """End it as *error* says: it failed, or went well where there is none.

        To leave a generator early is no failure of what it did.
        """
        if error is None or isinstance(error, GeneratorExit):
            self.stop()
        else:
            self.fail(error)

    def abandon(self) -> None:
        """End it: nobody has said how it went, and nobody will.

        So nobody detaches it either, and where it is still current it is a leftover from now on.
        """
        self._loose = self._loose or self._previous is not None
        self.fail("abandoned")

    def context_now(self) -> SpanContext:
        """Return the span context of this, or once it has ended, of what was current before it."""
        if not self.ended or self._previous is None:
            return self.span_context
        return trace.get_current_span(self._previous).get_span_context()

    def left_in(self, here: Context) -> Context:
        """Return *here* as it would be without this invocation, which was left in it."""
        before = self._previous
        assert before is not None
        if here is self._context:
            return before
        # Something was put on top since, which stays.
        inherited = context.get_value(_CURRENT, before)
        found = context.set_value(_CURRENT, inherited, here)
        if trace.get_current_span(here) is self._shown:
            found = trace.set_span_in_context(trace.get_current_span(before), found)
        task_id = baggage.get_baggage(semconv.TASK_ID, before)
        if task_id is None:
            return baggage.remove_baggage(semconv.TASK_ID, found)
        return baggage.set_baggage(semconv.TASK_ID, task_id, found)

    def beside(
        self,
        name: str,
        *,
        role: str | None,
        attributes: Attributes,
        error: str | None = None,
    ) -> None:
        """Record a further model call that this one tells of, in the same place.

        Args:
            name: The model.
            role: Its role; default that of this one.
            attributes: What is known of it; the rest is as here.
            error: The type of the error that it ended in.
        """
        if self._pid != os.getpid():
            return  # A forked child may end the stream as well; what it told of is the parent's.
        shared = (
            semconv.OPERATION_NAME,
            semconv.PROVIDER_NAME,
            semconv.CAPTURE,
            semconv.SERVER_ADDRESS,
            semconv.CLOUD_REGION,
        )
        other = Invocation(
            self._recorder,
            "inference",
            name,
            parent=self.parent,
            role=role or self.role,
            attributes={
                **{key: self._attributes[key] for key in shared if key in self._attributes},
                **readable.of(attributes),
            },
        )
        if error is None:
            other.stop()
        else:
            other.fail(error)

    def discard(self) -> None:
        """End it and keep nothing: it turned out not to be an operation of its own."""
        self._recorder = None
        self._end("ok")
        slot, self._slot = self._slot, None
        if slot is not None and self._pid == os.getpid():
            slot.clear()

    def place(self) -> dict[str, AttributeValue]:
        """Say where this stands: task, session, agent and role, as attributes."""
        found: dict[str, AttributeValue] = {semconv.ROLE: self.role}
        if self.task_id is not None:
            found[semconv.TASK_ID] = self.task_id
        if self.task_name is not None:
            found[semconv.TASK_NAME] = self.task_name
        if self.session_id is not None:
            found[semconv.CONVERSATION_ID] = self.session_id
        if self.agent is not None:
            found[semconv.AGENT_NAME] = self.agent
            found[semconv.AGENT_DEPTH] = self.agent_depth
            if self.agent_span_id is not None:
                found[semconv.AGENT_SPAN_ID] = self.agent_span_id
        if self.visible is not None:
            found[semconv.VISIBLE] = self.visible
        return found

    def _inherit(self, parent: "Invocation | None") -> None:
        self.role = "main"
        self.visible: bool | None = None
        self.task_id: str | None = None
        self.task_name: str | None = None
        self.session_id: str | None = None
        self.agent: str | None = None
        self.agent_span_id: str | None = None
        self.agent_depth = 0
        if parent is None:
            return
        self.role = parent.role
        self.task_id, self.task_name = parent.task_id, parent.task_name
        self.session_id = parent.session_id
        self.agent, self.agent_span_id = parent.agent, parent.agent_span_id
        self.agent_depth = parent.agent_depth
        if parent.kind == "inference":
            self.visible = parent.visible

    def _take_place(self, kind: Kind, name: str, task_id: str | None) -> bool:
        """Set what the kind changes; True if a task begins here.

        The first structure in a process belongs to no task yet, so it begins one.
        """
        begins = kind == "task" or (kind != "inference" and self.task_id is None)
        if begins:
            if self.parent is not None and self.parent.ended:
                # Work that starts itself anew, as a timer does, would keep all that went before.
                self.parent = None
            self.task_id, self.task_name = task_id or uuid.uuid4().hex, name
            self.agent, self.agent_span_id, self.agent_depth = None, None, 0
            self.role = "main"
        elif task_id is not None:
            self.task_id = task_id
        if kind == "agent":
            self.agent = name
            self.agent_span_id = None
            self.agent_depth += 1
            self.role = "main" if self.agent_depth == 1 else "subagent"
        elif kind == "tool":
            self.role = "tool"
        return begins

    def _start_span(self) -> None:
        here = _without_leftovers(context.get_current())
        around = self._around(here)
        outer = trace.get_current_span(around).get_span_context()
        self._parent_span_id = outer.span_id if outer.is_valid else 0
        if self._recorder is None:
            self._span: Span = NonRecordingSpan(outer)
            return
        operation = _OPERATION_OF.get(self.kind)
        if operation is not None:
            self._attributes[semconv.OPERATION_NAME] = operation
        if self.kind == "tool":
            self._attributes[semconv.TOOL_NAME] = self.name
        name = f"{operation} {self.name}" if operation else self.name
        kind = SpanKind.CLIENT if self.kind == "inference" else SpanKind.INTERNAL
        start_span = self._recorder.start_span
        if self.kind == "inference" and suppression.asked_for(around):
            start_span = local.start_span
        try:
            self._span = start_span(name, context=around, kind=kind, start_time=self._start_ns)
        except Exception as error:  # noqa: BLE001 - a processor of somebody else's may raise
            trouble.say("starting a span", error)
            self._span = local.start_span(name, context=around)
        if self.kind == "agent":
            self.agent_span_id = f"{self.span_context.span_id:016x}"
            self._attributes[semconv.AGENT_SPAN_ID] = self.agent_span_id

    def _around(self, here: Context) -> Context:
        """Find the context that holds the enclosing span.

        Where the parent is the current invocation, another instrumentation may have a span open
        inside it, which is nearer.
        """
        parent = self.parent
        if parent is None:
            return here
        if _theirs_in(here) is parent:
            return here
        if parent.is_seen_by_others and _nearest_in(here) is parent:
            return here
        return trace.set_span_in_context(parent._span, here)  # noqa: SLF001 - same class

    def _made_current(self, here: Context) -> Context:
        made = context.set_value(_CURRENT, self, here)
        if self.task_id is not None:
            made = baggage.set_baggage(semconv.TASK_ID, self.task_id, made)
        if not self.is_seen_by_others:
            return made
        if self.kind == "inference":
            made = suppression.ask(made)
        self._shown = _LooseSpan(self) if self._loose else self._span
        return trace.set_span_in_context(self._shown, made)

    def _end(self, status: str) -> None:
        if self.ended:
            return
        self.ended = True
        if self._pid != os.getpid():
            return  # A forked child unwinds the parent's blocks as well; they are the parent's.
        end_ns = self._start_ns + time.perf_counter_ns() - self._started
        if self.wire_calls > 0 and self.kind == "inference":
            self._attributes[semconv.WIRE_CALLS] = self.wire_calls
        span_context = self._span.get_span_context()
        try:
            if self._span.is_recording():
                if self.kind == "inference":
                    # Which model answered is known only now.
                    operation = self._attributes.get(semconv.OPERATION_NAME, self.kind)
                    self._span.update_name(f"{operation} {self.name}")
                self._span.set_attributes(self._attributes)
                if status == "error":
                    self._span.set_status(Status(StatusCode.ERROR))
            self._span.end(end_time=end_ns)
        except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("a span", error)
        if self._recorder is not None:
            slot, self._slot = self._slot, None
            self._recorder.keep(
                context=span_context,
                parent_span_id=self._parent_span_id,
                name=self.name,
                start_ns=self._start_ns,
                end_ns=end_ns,
                status=status,
                attributes=self._attributes,
                slot=slot,
            )


class _LooseSpan(NonRecordingSpan):
    """What OpenTelemetry sees as the current span where an invocation is attached loosely.

    Until the end it is the invocation's span. After that it is what was current before, so that
    what is left attached does not adopt the spans that other instrumentations start.
    """

    def __init__(self, invocation: Invocation) -> None:
        super().__init__(invocation.span_context)
        self._invocation = invocation

    def get_span_context(self) -> SpanContext:
        return self._invocation.context_now()


# Span id -> what the open spans of other instrumentations stand in, or for.
_elsewhere: Final[dict[int, Invocation]] = {}


def stands_in(span_id: int, around: Invocation) -> None:
    """Let what begins inside another instrumentation's open span begin inside *around*."""
    if len(_elsewhere) >= _OPEN_SPANS:
        _elsewhere.pop(next(iter(_elsewhere)), None)
    _elsewhere[span_id] = around


def stood_in(span_id: int) -> Invocation | None:
    """Forget another instrumentation's span, which has ended; returns what it stood in."""
    return _elsewhere.pop(span_id, None)


def innermost(here: Context | None = None) -> Invocation | None:
    """Return the invocation that is current in *here*; leftovers of callbacks are skipped."""
    return _nearest_in(_without_leftovers(context.get_current() if here is None else here))


def _theirs_in(here: Context) -> Invocation | None:
    """Return what another instrumentation's open span, if one is current, stands in or for."""
    if not _elsewhere:
        return None
    return _elsewhere.get(trace.get_current_span(here).get_span_context().span_id)


def _nearest_in(here: Context) -> Invocation | None:
    """Return what is current in *here*: ours, or what another instrumentation's span stands for."""
    found = context.get_value(_CURRENT, here)
    ours = found if isinstance(found, Invocation) else None
    theirs = _theirs_in(here)
    if theirs is None:
        return ours
    outer: Invocation | None = theirs
    while outer is not None and outer is not ours:
        outer = outer.parent
    # Theirs is the nearer one if it is inside of ours.
    return theirs if outer is ours else ours


def _without_leftovers(here: Context) -> Context:
    """Return *here* as it was before callbacks attached what they could not detach."""
    found = context.get_value(_CURRENT, here)
    while isinstance(found, Invocation) and found.left_over:
        here = found.left_in(here)
        found = context.get_value(_CURRENT, here)
    return here


def usage_attributes(usage: TokenUsage) -> dict[str, AttributeValue]:
    """Spell *usage* as attributes; what is None stays unsaid."""
    counts = (
        (semconv.INPUT_TOKENS, usage.input_tokens),
        (semconv.OUTPUT_TOKENS, usage.output_tokens),
        (semconv.CACHE_READ_TOKENS, usage.cache_read_tokens),
        (semconv.CACHE_WRITE_TOKENS, usage.cache_write_tokens),
        (semconv.CACHE_WRITE_1H_TOKENS, usage.cache_write_1h_tokens),
        (semconv.REASONING_TOKENS, usage.reasoning_tokens),
    )
    said = {key: count for key, count in counts if count is not None}
    return {semconv.USAGE: usage.state, **said}


def _take_mark(invocation: Invocation, role: str | None, *, visible: bool | None) -> None:
    mark = current_mark()
    if mark is not None:
        invocation.role = mark.role or invocation.role
        invocation.visible = mark.visible
    invocation.role = role or invocation.role
    if visible is not None:
        invocation.visible = visible


def _task_attributes(
    workload: str | None, project: str | None, user_hash: str | None, *, headless: bool | None
) -> dict[str, AttributeValue]:
    """Say what is on the root span of a task only; what nobody says is left out."""
    known = workload_of(workload)
    if workload is not None and known is None:
        trouble.say("a workload", ConfigError(not_a_workload("What a task says of its workload")))
    named = None if project is None else str(project).strip()[:PROJECT_CHARACTERS] or None
    said: dict[str, AttributeValue | None] = {
        semconv.WORKLOAD: known,
        semconv.PROJECT: named,
        semconv.USER_HASH: user_hash,
        semconv.HEADLESS: headless,
    }
    return {key: value for key, value in said.items() if value is not None}


def _telling() -> ModuleType:
    # It leans on what leans on this.
    from agenttrace.record import telling

    return telling
