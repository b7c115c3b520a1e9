"""LiteLLM's own callback: it says how a stream ended, and with what usage."""

from collections.abc import Mapping
from typing import Any, Final

import litellm
from litellm.integrations.custom_logger import CustomLogger

from agenttrace import semconv
from agenttrace.integration import guarded
from agenttrace_litellm.reading import answer_of
from agenttrace_litellm.streams import STREAMS

_guarded: Final = guarded("a LiteLLM callback")


class AgentTraceLogger(CustomLogger):
    """Ends the frames of streams; every other call ends where its function returns."""

    # LiteLLM gives four arguments by name: what it did, the answer, its start and its end.

    def log_success_event(self, kwargs: Mapping[str, Any], response_obj: Any, **_: Any) -> None:
        """End a stream that was read to its end."""
        _succeeded(kwargs, response_obj)

    async def async_log_success_event(
        self, kwargs: Mapping[str, Any], response_obj: Any, **_: Any
    ) -> None:
        """End an async one."""
        _succeeded(kwargs, response_obj)

    def log_failure_event(self, kwargs: Mapping[str, Any], **_: Any) -> None:
        """End a stream that broke."""
        _failed(kwargs)

    async def async_log_failure_event(self, kwargs: Mapping[str, Any], **_: Any) -> None:
        """End an async one."""
        _failed(kwargs)


HANDLER: Final = AgentTraceLogger()


def listen() -> None:
    """Be told how streams end, also where the program has set a list of callbacks of its own."""
    if HANDLER not in litellm.callbacks:
        litellm.callbacks.append(HANDLER)


def deafen() -> None:
    """Be told nothing more; LiteLLM copies its list into one for each kind of event."""
    for name, callbacks in vars(litellm).items():
        if "callback" in name and isinstance(callbacks, list) and HANDLER in callbacks:
            callbacks.remove(HANDLER)  # pyright: ignore[reportUnknownMemberType] - of any shape


@_guarded
def _succeeded(kwargs: Mapping[str, Any], response: Any) -> None:
    invocation = STREAMS.pop(str(kwargs.get("litellm_call_id")))
    if invocation is None:
        return
    answer = answer_of(response, streamed=True)
    if (kwargs.get("cache_hit") or answer.cached) and not invocation.wire_calls:
        invocation.discard()
        return
    answer.tell(invocation)
    invocation.stop()


@_guarded
def _failed(kwargs: Mapping[str, Any]) -> None:
    invocation = STREAMS.pop(str(kwargs.get("litellm_call_id")))
    if invocation is None:
        return
    invocation.set({semconv.OUTCOME: "incomplete"})
    error = kwargs.get("exception")
    invocation.fail(error if isinstance(error, BaseException) else "_OTHER")
