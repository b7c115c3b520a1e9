"""What a call of LiteLLM is recorded as: the frame of its requests, or the call itself.

A call of LiteLLM may make another one, for each model that it falls back to.
"""

import functools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import agenttrace
from agenttrace import Invocation, semconv
from agenttrace.integration import Wrap, guarded
from agenttrace_litellm import handler
from agenttrace_litellm.reading import (
    answer_of,
    call_id_of,
    is_stream,
    metadata_of,
    model_of,
    session_of,
)
from agenttrace_litellm.streams import STREAMS

_guarded: Final = guarded("a call of LiteLLM")

_ANSWERS: Final = frozenset({"main", "subagent"})  # roles of which an attempt says more


@dataclass(slots=True, eq=False)
class Frame:
    """A call under way.

    Attributes:
        invocation: What it is recorded as.
        tried: The models of the calls that it made itself, in order.
    """

    invocation: Invocation
    tried: list[object]


# Where a call is found by its name, as pickle does; LiteLLM defines it in another module.
_MODULE: Final = "litellm"

_under_way: Final[dict[Invocation, Frame]] = {}


def framed(operation: str) -> Wrap:
    """Return what wraps a function of LiteLLM."""

    def wrap(original: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(*args: Any, **options: Any) -> Any:
            if not wanted():
                return original(*args, **options)
            frame = _begin(operation, args, options)
            try:
                result = original(*args, **options)
            except BaseException as error:
                _fail(frame, error)
                raise
            _end(frame, result, options)
            return result

        call.__module__ = _MODULE
        return call

    return wrap


def framed_async(operation: str) -> Wrap:
    """Return what wraps a coroutine function of LiteLLM."""

    def wrap(original: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
        @functools.wraps(original)
        async def call(*args: Any, **options: Any) -> Any:
            if not wanted():
                return await original(*args, **options)
            frame = _begin(operation, args, options)
            try:
                result = await original(*args, **options)
            except BaseException as error:
                _fail(frame, error)
                raise
            _end(frame, result, options)
            return result

        call.__module__ = _MODULE
        return call

    return wrap


@_guarded
def _begin(operation: str, args: tuple[Any, ...], options: dict[str, Any]) -> Frame:
    """Start the frame of a call, and give the call an id that the end of its stream will say."""
    asked = options.get("model", args[0] if args else None)
    around = agenttrace.current()
    outer = _outer(around)
    attributes = {
        semconv.OPERATION_NAME: operation,
        semconv.CAPTURE: "frame",
        **model_of(asked, options),
    }
    invocation = agenttrace.start(
        "inference",
        str(attributes.get(semconv.REQUEST_MODEL, operation)),
        parent=around,
        session_id=session_of(options),
        role=_role(around, outer, asked, options),
        attributes=attributes,
    )
    if outer is not None:
        outer.tried.append(asked)
    if options.get("stream"):
        options.setdefault("litellm_call_id", str(uuid.uuid4()))
        handler.listen()
    invocation.attach()
    frame = _under_way[invocation] = Frame(invocation, [])
    return frame


@_guarded
def _end(frame: Frame | None, result: Any, options: Mapping[str, Any]) -> None:
    """End a call that returned; a stream ends when LiteLLM's callback says so."""
    if frame is None:
        return
    invocation = _leave(frame)
    if is_stream(result):
        call_id = call_id_of(options)
        # What a call inside returns is passed on, and has a frame already.
        if frame.tried or call_id is None:
            invocation.stop()
        else:
            STREAMS.add(call_id, invocation)
        return
    answer = answer_of(result)
    if answer.cached and not invocation.wire_calls:
        # No call, and so is what other instrumentations make of it.
        invocation.set({semconv.OUTCOME: "cached"})
        invocation.stop()
        return
    answer.tell(invocation)
    invocation.stop()


@_guarded
def _fail(frame: Frame | None, error: BaseException) -> None:
    if frame is None:
        return
    invocation = _leave(frame)
    invocation.set({semconv.OUTCOME: "incomplete"})
    invocation.fail(error)


def _leave(frame: Frame) -> Invocation:
    del _under_way[frame.invocation]
    frame.invocation.detach()
    return frame.invocation


def _outer(around: Invocation | None) -> Frame | None:
    """Find the call of LiteLLM that this one is made by, if one is."""
    while around is not None and around.kind == "inference":
        frame = _under_way.get(around)
        if frame is not None:
            return frame
        around = around.parent
    return None


def _role(
    around: Invocation | None, outer: Frame | None, asked: object, options: Mapping[str, Any]
) -> str | None:
    """Tell a retry and a fallback, where the router or a call around says that it is one."""
    if around is not None and around.role not in _ANSWERS:
        return None
    metadata = metadata_of(options)
    fallbacks = metadata.get("attempted_fallbacks") or options.get("fallback_depth")
    if fallbacks or (outer is not None and outer.tried and asked not in outer.tried):
        return "fallback"
    # Older routers do not count; they note what failed before in this request.
    retries = metadata.get("attempted_retries", metadata.get("previous_models"))
    return "retry" if retries else None
