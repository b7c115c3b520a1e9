"""Frame each attempt of a model's call, where DSPy makes requests by itself.

Since 3.4 DSPy sends requests through sockets of its own, which the meter at the transport does not
see. Before, it leaves them to a library, whose requests the meter sees.
"""

import contextlib
import functools
import importlib
import importlib.util
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

import agenttrace
from agenttrace import Invocation, TokenUsage, semconv
from agenttrace.integration import guarded, provider_name, replaced, token_usage

_EXECUTION: Final = "dspy.clients.execution"


@contextlib.contextmanager
def framed() -> Generator[None]:
    """Frame the attempts while the block runs; an answer from the cache is not one."""
    if importlib.util.find_spec(_EXECUTION) is None:
        yield
        return
    execution = importlib.import_module(_EXECUTION)
    with replaced(execution, "_attempt", _framed), replaced(execution, "_aattempt", _aframed):
        yield


def _framed(attempt: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(attempt)
    def attempt_in_frame(lm: Any, *args: Any) -> Any:
        if not wanted():
            return attempt(lm, *args)
        with _frame(lm, *args):
            return attempt(lm, *args)

    return attempt_in_frame


def _aframed(attempt: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(attempt)
    async def attempt_in_frame(lm: Any, *args: Any) -> Any:
        if not wanted():
            return await attempt(lm, *args)
        with _frame(lm, *args):
            return await attempt(lm, *args)

    return attempt_in_frame


@contextlib.contextmanager
def _frame(lm: Any, *args: Any) -> Generator[None]:
    """Frame an attempt, whose arguments after the model are *args*."""
    # After the call, the backend and the request; the state has the answer of a success.
    provider, state = (*args[3:5], None, None)[:2]
    invocation = _begun(str(getattr(lm, "model", "model")), provider)
    invocation.attach()
    try:
        yield
    except BaseException as error:
        invocation.detach()
        invocation.set({semconv.OUTCOME: "incomplete"})
        invocation.fail(error)
        raise
    invocation.detach()
    _read(invocation, getattr(state, "result", None))
    invocation.stop()


def _begun(model: str, provider: object) -> Invocation:
    # The provider is what comes first; a model of a router has its maker's name in its own.
    prefix, _, rest = model.partition("/")
    prefix, name = (prefix, rest) if rest else ("", model)
    attributes: dict[str, str | bool | int | float] = {
        semconv.OPERATION_NAME: semconv.CHAT,
        semconv.CAPTURE: "frame",
        semconv.REQUEST_MODEL: name,
    }
    said = provider if isinstance(provider, str) and provider else prefix
    if said:
        attributes[semconv.PROVIDER_NAME] = provider_name(said)
    return agenttrace.start("inference", name, attributes=attributes)


@guarded("an answer of a DSPy model")
def _read(invocation: Invocation, result: Any) -> None:
    invocation.set({semconv.OUTCOME: "complete"})
    if invocation.wire_calls:
        return
    for key, value in (
        (semconv.RESPONSE_ID, getattr(getattr(result, "raw", None), "id", None)),
        (semconv.RESPONSE_MODEL, getattr(result, "response_model", None)),
    ):
        if isinstance(value, str) and value:
            invocation.set({key: value})
    invocation.usage(_usage(_mapping(getattr(result, "usage", None))))


def _usage(said: Mapping[str, Any]) -> TokenUsage:
    """Read the counts of an answer; DSPy includes cached input and reasoning in them."""
    into = _mapping(said.get("prompt_tokens_details"))
    out = _mapping(said.get("completion_tokens_details"))
    return token_usage(
        said.get("prompt_tokens"),
        said.get("completion_tokens"),
        cache_read_tokens=into.get("cached_tokens"),
        cache_write_tokens=into.get("cache_creation_tokens"),
        reasoning_tokens=out.get("reasoning_tokens"),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}  # pyright: ignore[reportUnknownVariableType] - JSON of any shape
