"""What LangChain calls: each callback begins or ends a run."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

import agenttrace
from agenttrace import semconv
from agenttrace.integration import guarded
from agenttrace_langchain import frames
from agenttrace_langchain.frames import Said
from agenttrace_langchain.runs import RUNS

_guarded: Final = guarded("a LangChain callback")


class AgentTraceCallbackHandler(BaseCallbackHandler):
    """Records every run that it is told of; give it to ``config={"callbacks": [...]}``.

    Graphs become agents, their nodes steps, tools and retrievers tools, and runs of models the
    frames of the calls that the meter sees inside them; where it sees none (a local model, a
    transport that it does not know), the frame itself is the call. Prompt templates, parsers and
    the pieces of a sequence record nothing. The first run outside of any task begins one.

    It keeps names, counts and types of errors, never what was said. Any number of handlers records
    a run once, and what goes wrong in here does not reach the program.
    """

    # In the context of the run, not in a thread: what is made current here must be seen there.
    run_inline = True
    raise_error = False
    is_on = True  # runs that begin now are recorded; what has begun is always ended

    def __init__(self) -> None:
        super().__init__()
        # The meter has to be in place before the first request.
        agenttrace.configure()

    @_guarded
    def on_chain_start(
        self, serialized: Mapping[str, Any] | None, *_: Any, run_id: UUID, **details: Any
    ) -> None:
        """Begin a graph, a node, or another chain."""
        if self._begins(run_id):
            RUNS.add(run_id, frames.of_chain(Said.of(serialized, details)))

    @_guarded
    def on_chain_end(self, *_: Any, run_id: UUID, **__: Any) -> None:
        """End a chain."""
        frames.end(run_id)

    @_guarded
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """End a chain that failed, or gave way to something."""
        frames.end(run_id, error)

    @_guarded
    def on_tool_start(
        self, serialized: Mapping[str, Any] | None, *_: Any, run_id: UUID, **details: Any
    ) -> None:
        """Begin a tool."""
        if self._begins(run_id):
            RUNS.add(run_id, frames.of_tool(Said.of(serialized, details)))

    @_guarded
    def on_tool_end(self, *_: Any, run_id: UUID, **__: Any) -> None:
        """End a tool."""
        frames.end(run_id)

    @_guarded
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """End a tool that failed, or asked a person."""
        frames.end(run_id, error)

    @_guarded
    def on_retriever_start(
        self, serialized: Mapping[str, Any] | None, *_: Any, run_id: UUID, **details: Any
    ) -> None:
        """Begin a retriever; it may embed the query, or have a model rewrite it."""
        if self._begins(run_id):
            RUNS.add(run_id, frames.of_tool(Said.of(serialized, details)))

    @_guarded
    def on_retriever_end(self, *_: Any, run_id: UUID, **__: Any) -> None:
        """End a retriever."""
        frames.end(run_id)

    @_guarded
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """End a retriever that failed."""
        frames.end(run_id, error)

    @_guarded
    def on_chat_model_start(
        self, serialized: Mapping[str, Any] | None, *_: Any, run_id: UUID, **details: Any
    ) -> None:
        """Begin a run of a chat model."""
        if self._begins(run_id):
            RUNS.add(run_id, frames.of_model(Said.of(serialized, details), semconv.CHAT))

    @_guarded
    def on_llm_start(
        self, serialized: Mapping[str, Any] | None, *_: Any, run_id: UUID, **details: Any
    ) -> None:
        """Begin a run of a completion model."""
        if self._begins(run_id):
            RUNS.add(run_id, frames.of_model(Said.of(serialized, details), semconv.TEXT_COMPLETION))

    @_guarded
    def on_llm_new_token(self, *_: Any, run_id: UUID, **__: Any) -> None:
        """Note when the first piece of a stream came; the others cost a look-up."""
        frames.chunk(run_id)

    @_guarded
    def on_stream_event(self, *_: Any, run_id: UUID, **__: Any) -> None:
        """Note when the first event of a stream came; the others cost a look-up."""
        frames.chunk(run_id)

    @_guarded
    def on_llm_end(self, response: Any, *, run_id: UUID, **_: Any) -> None:
        """End a run of a model, with what its integration says of the usage."""
        frames.end_model(run_id, response)

    @_guarded
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **details: Any) -> None:
        """End a run of a model that failed, or that the client left half-way."""
        frames.end_model(run_id, details.get("response"), error)

    def _begins(self, run_id: UUID) -> bool:
        """Whether a run is to be recorded; another handler may have been told of it first."""
        return self.is_on and run_id not in RUNS


class SwitchedHandler(AgentTraceCallbackHandler):
    """The handler of LangChain's hook, switched off at first: the hook cannot be taken out."""

    is_on = False
