"""Carry the current task into a child process through its environment.

``TRACEPARENT``, ``TRACESTATE`` and ``BAGGAGE`` are OpenTelemetry's environment carriers; the
baggage holds the task id and what else a call in the child must know of the place it has.
``AGENTTRACE_HOME`` says where to record, and the folder ``startup``, first on ``PYTHONPATH``,
starts recording in the child by itself.

Source: <https://opentelemetry.io/docs/specs/otel/context/env-carriers/>
"""

import functools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus

from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agenttrace import config, semconv
from agenttrace.errors import AgentTraceError
from agenttrace.record import trouble
from agenttrace.record.invocation import Invocation
from agenttrace.record.mark import Mark, current_mark

_TRACEPARENT: Final = "TRACEPARENT"
_BAGGAGE: Final = "BAGGAGE"
_VARIABLES: Final = (_TRACEPARENT, "TRACESTATE", _BAGGAGE)
_SETTINGS: Final = (
    config.HOME_VARIABLE,
    config.WORKLOAD_VARIABLE,
    config.PROJECT_VARIABLE,
    config.USERS_VARIABLE,
)
_PYTHONPATH: Final = "PYTHONPATH"
_MARKED_ROLE: Final = "agenttrace.mark.role"
_MARKED_VISIBLE: Final = "agenttrace.mark.visible"
_OURS: Final = (
    semconv.AGENT_DEPTH,
    semconv.AGENT_NAME,
    semconv.AGENT_SPAN_ID,
    semconv.CONVERSATION_ID,
    semconv.ROLE,
    semconv.TASK_ID,
    semconv.TASK_NAME,
    semconv.VISIBLE,
    _MARKED_ROLE,
    _MARKED_VISIBLE,
)
_NAMES: Final = (semconv.AGENT_NAME, semconv.TASK_NAME)
_LONGEST: Final = 200  # characters; OpenTelemetry drops baggage of more than some thousand bytes
_LONGEST_TASK_ID: Final = 4000  # bytes as it is written; with its name it must not exceed 4096

_trace_context: Final = TraceContextTextMapPropagator()
_baggage: Final = W3CBaggagePropagator()


def inject(
    invocation: Invocation | None, environ: Mapping[str, str], mark: Mark | None = None
) -> dict[str, str]:
    """Return the variables that a child of *invocation* needs; none if there is none.

    Args:
        invocation: What is current.
        environ: The environment; the baggage of others in it is kept.
        mark: What is said about the calls in the child; default what holds here.
    """
    if invocation is None:
        return {}
    span = NonRecordingSpan(invocation.span_context)
    present = {"baggage": environ.get(_BAGGAGE, "")}
    carried = trace.set_span_in_context(span, _baggage.extract(present, Context()))
    for key in _OURS:
        # What holds in this process may not hold in its children.
        carried = baggage.remove_baggage(key, carried)
    for key, value in {**invocation.place(), **_marked(mark or current_mark())}.items():
        text = str(value)[:_LONGEST] if key in _NAMES else str(value)
        if _fits(key, text):
            carried = baggage.set_baggage(key, text, carried)
    found: dict[str, str] = {}
    _trace_context.inject(found, carried)
    _baggage.inject(found, carried)
    return {name.upper(): value for name, value in found.items()}


def extract(environ: Mapping[str, str]) -> Invocation | None:
    """Return what stands for the invocation that this process works for, if one is named."""
    return named_in(_context(environ))


def named_in(carried: Context) -> Invocation | None:
    """Return what stands for the invocation of another process that *carried* names."""
    span_context = trace.get_current_span(carried).get_span_context()
    if not span_context.is_valid:
        return None
    said = {key: str(value) for key, value in baggage.get_all(carried).items()}
    depth = said.get(semconv.AGENT_DEPTH, "0")
    return Invocation.remote(
        span_context,
        task_id=said.get(semconv.TASK_ID),
        task_name=said.get(semconv.TASK_NAME),
        session_id=said.get(semconv.CONVERSATION_ID),
        agent=said.get(semconv.AGENT_NAME),
        agent_span_id=said.get(semconv.AGENT_SPAN_ID),
        agent_depth=int(depth) if depth.isdecimal() else 0,
        role=said.get(semconv.ROLE, "main"),
    )


def extract_mark(environ: Mapping[str, str]) -> Mark | None:
    """Return what ``agenttrace.role`` says in the parent process about the calls in this one."""
    found = _context(environ)
    role = baggage.get_baggage(_MARKED_ROLE, found)
    visible = baggage.get_baggage(_MARKED_VISIBLE, found)
    if role is None and visible is None:
        return None
    return Mark(
        None if role is None else str(role), visible=None if visible is None else visible == "True"
    )


def environment(
    invocation: Invocation | None,
    home: Path,
    given: Mapping[Any, Any] | None = None,
    *,
    mark: Mark | None = None,
    integrations: Sequence[str] = (),
    told: Mapping[str, str] | None = None,
    starts: bool = True,
) -> dict[Any, Any]:
    """Return a copy of an environment with all that a child of *invocation* needs to join it.

    Where *given* differs from the environment of this process, somebody has said what he wants, and
    that stays.

    Args:
        invocation: What is current.
        home: Where the child records.
        given: What the user starts the child with, names and values ``str`` or ``bytes``; default
            the environment of this process. It is not changed.
        mark: What is said about the calls in the child; default what holds here.
        integrations: Those that a Python in the child switches on.
        told: Further settings, as variables.
        starts: A Python in the child starts recording by itself.
    """
    if given is None or given is os.environ:
        found: dict[Any, Any] = dict(os.environ)
    else:
        found = {_text_if_ours(name): value for name, value in given.items()}
    wanted = {config.HOME_VARIABLE: str(home)}
    if not _is_said(_TRACEPARENT, found):
        text = {_BAGGAGE: os.fsdecode(found.get(_BAGGAGE, ""))}
        carried = inject(invocation, text, mark)
        if carried:
            found.pop("TRACESTATE", None)
        found |= carried
    if _is_said(config.HOME_VARIABLE, found):
        del wanted[config.HOME_VARIABLE]
    wanted |= {name: said for name, said in (told or {}).items() if not _is_said(name, found)}
    if integrations and not _is_said(config.INTEGRATIONS_VARIABLE, found):
        wanted[config.INTEGRATIONS_VARIABLE] = ",".join(integrations)
    if starts and startup_folder() is not None:
        wanted[_PYTHONPATH] = _with_startup(os.fsdecode(found.get(_PYTHONPATH, "")))
    return found | wanted


@functools.cache
def startup_folder() -> str | None:
    """Return the folder whose ``sitecustomize`` starts recording; None where a path cannot say it.

    Inside of an archive there is no folder that another interpreter could read.
    """
    folder = Path(__file__).parent / "startup"
    return str(folder) if folder.is_dir() and os.pathsep not in str(folder) else None


def _context(environ: Mapping[str, str]) -> Context:
    carried = {name.lower(): environ[name] for name in _VARIABLES if environ.get(name)}
    if "traceparent" not in carried:
        return Context()
    return _baggage.extract(carried, _trace_context.extract(carried, Context()))


def _fits(key: str, text: str) -> bool:
    """Whether *text* is short enough; a task id is carried whole or, which is said, not at all."""
    if key != semconv.TASK_ID:
        return len(text) <= _LONGEST
    if len(quote_plus(text)) <= _LONGEST_TASK_ID:
        return True
    too_long = AgentTraceError(f"Its id is longer than {_LONGEST_TASK_ID} bytes")
    trouble.say("telling a child process its task", too_long)
    return False


def _marked(mark: Mark | None) -> dict[str, str | bool]:
    if mark is None:
        return {}
    found: dict[str, str | bool] = {}
    if mark.role is not None:
        found |= {semconv.ROLE: mark.role, _MARKED_ROLE: mark.role}
    if mark.visible is not None:
        found[_MARKED_VISIBLE] = mark.visible
    return found


def _text_if_ours(name: Any) -> Any:
    """Spell the names that we set as ``str``, so that none is there twice."""
    if not isinstance(name, bytes):
        return name
    text = os.fsdecode(name)
    return text if text in (*_VARIABLES, *_SETTINGS, _PYTHONPATH) else name


def _is_said(name: str, environ: Mapping[Any, Any]) -> bool:
    """Whether *environ* names something that this process was not itself started with."""
    said = environ.get(name)
    return bool(said) and os.fsdecode(said) != os.environ.get(name)


def _with_startup(path: str) -> str:
    folder = startup_folder() or ""
    others = [entry for entry in path.split(os.pathsep) if entry != folder] if path else []
    return os.pathsep.join([folder, *others])
