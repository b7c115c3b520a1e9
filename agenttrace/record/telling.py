"""What is told of a task beside its spans: its outcome, its user turns, who prompted.

Each is a record of its own, of kind ``fact``, written at once: a process that is killed after that
has told it, and what becomes of a task may be known long after its root span has ended.
"""

import time
from typing import TYPE_CHECKING, Final, get_args

from opentelemetry import trace
from opentelemetry.context import Context

from agenttrace import semconv
from agenttrace.errors import ConfigError
from agenttrace.model import Outcome
from agenttrace.record import local, setup, trouble
from agenttrace.record.invocation import innermost
from agenttrace.record.recorder import Attributes

if TYPE_CHECKING:
    from agenttrace.record.invocation import Invocation
    from agenttrace.record.recorder import Recorder

OUTCOMES: Final[tuple[str, ...]] = get_args(Outcome)
REFERENCE_CHARACTERS: Final = 200
TURNS_AT_MOST: Final = 10_000  # more prompts at once are a mistake

_last_ns = 0


def outcome(about: "Invocation | None", what: object, reference: object = None) -> None:
    """Tell what became of the task that *about* belongs to; what is told last counts."""
    with trouble.Guard("telling an outcome"):
        if what not in OUTCOMES:
            raise ConfigError(f"An outcome is one of {', '.join(OUTCOMES)}; none was recorded")
        told: dict[str, str] = {semconv.TASK_OUTCOME: str(what)}
        if reference is not None and str(reference).strip():
            told[semconv.OUTCOME_REFERENCE] = cut(str(reference))
        _tell(about, told)


def user_turn(about: "Invocation | None", count: object = 1) -> None:
    """Tell of prompts by a person in the task that *about* belongs to; what is told adds up."""
    with trouble.Guard("telling a user turn"):
        if type(count) is not int or not 0 <= count <= TURNS_AT_MOST:
            raise ConfigError(
                f"User turns are a whole number from 0 to {TURNS_AT_MOST:,}; none were recorded"
            )
        _tell(about, {semconv.USER_TURNS: count})


def user(about: "Invocation | None", who: object) -> None:
    """Tell who prompted in the task that *about* belongs to; only a hash of it is kept."""
    with trouble.Guard("telling a user"):
        found = setup.user_hash(who)
        if found is not None:
            _tell(about, {semconv.USER_HASH: found})


def cut(reference: str) -> str:
    """Return *reference* without what makes it too long to be one."""
    return reference.strip()[:REFERENCE_CHARACTERS]


def keep_fact(
    recorder: "Recorder", about: Attributes, inside: Context, *, at_ns: int | None = None
) -> None:
    """Write one fact into the spool.

    Args:
        recorder: Where to.
        about: The id of the task, and what is told of it.
        inside: Holds the span that it is told in; it is told in a trace of its own without one.
        at_ns: When it was told, Unix nanoseconds; default now.
    """
    around = trace.get_current_span(inside).get_span_context()
    now_ns = _now_ns() if at_ns is None else at_ns
    recorder.keep(
        context=local.start_span("fact", inside).get_span_context(),
        parent_span_id=around.span_id if around.is_valid else 0,
        name="fact",
        start_ns=now_ns,
        end_ns=now_ns,
        status="ok",
        attributes={semconv.KIND: "fact", **about},
    )


def _tell(about: "Invocation | None", told: Attributes) -> None:
    recorder = setup.recorder()
    if recorder is None:
        return  # Nothing is recorded here, and whoever switched it off knows.
    if about is None or about.task_id is None:
        raise ConfigError("There is no task here. Call it inside of agenttrace.task()")
    here = innermost()
    nearest = here if here is not None and here.task_id == about.task_id else about
    span = trace.NonRecordingSpan(nearest.span_context)
    inside = trace.set_span_in_context(span, Context())
    keep_fact(recorder, {semconv.TASK_ID: about.task_id, **told}, inside)
    _root(about).show(told)


def _root(invocation: "Invocation") -> "Invocation":
    """Return the outermost invocation of the same task in this process."""
    found = invocation
    while found.parent is not None and found.parent.task_id == invocation.task_id:
        found = found.parent
    return found


def _now_ns() -> int:
    """Return the time, later than at every call before: what is told last is to count."""
    global _last_ns  # noqa: PLW0603 - a clock that is turned back is one for the whole process
    _last_ns = max(time.time_ns(), _last_ns + 1)
    return _last_ns
