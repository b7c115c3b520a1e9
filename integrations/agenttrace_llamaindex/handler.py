"""What LlamaIndex calls: each span begins or ends a run."""

import inspect
from typing import Any, Final

from llama_index_instrumentation.span.base import BaseSpan
from llama_index_instrumentation.span_handlers import BaseSpanHandler
from pydantic import PrivateAttr

from agenttrace.integration import guarded
from agenttrace_llamaindex import frames
from agenttrace_llamaindex.reading import Said
from agenttrace_llamaindex.runs import Runs, give_up

_UNNAMED: Final = "_OTHER"  # the convention's word for an error whose type is not known


class AgentTraceSpanHandler(BaseSpanHandler[BaseSpan]):
    """Records the spans that it is told of.

    A handler is called in the context of what its span is about, so what it makes current there is
    current for the calls inside. It keeps nothing that the library's own handlers would.
    """

    _runs: Runs = PrivateAttr(default_factory=lambda: Runs(give_up))

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex knows the handler by."""
        return "AgentTraceSpanHandler"

    @guarded("a LlamaIndex span")
    def span_enter(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,
        parent_id: str | None = None,
        **_: Any,
    ) -> None:
        """Begin a run."""
        frames.begin(self._runs, id_, parent_id, Said(id_, instance, bound_args.arguments))

    @guarded("a LlamaIndex span")
    def span_exit(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002 - the library's signature
        instance: Any | None = None,  # noqa: ARG002
        result: Any | None = None,
        **_: Any,
    ) -> None:
        """End a run."""
        frames.end(self._runs, id_, result=result)

    @guarded("a LlamaIndex span")
    def span_drop(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002 - the library's signature
        instance: Any | None = None,  # noqa: ARG002
        err: BaseException | None = None,
        **_: Any,
    ) -> None:
        """End a run that failed."""
        frames.end(self._runs, id_, error=err or _UNNAMED)

    def give_up(self) -> None:
        """End what is under way: nobody will say how it ends."""
        self._runs.clear()

    def new_span(self, *_: Any, **__: Any) -> None:
        """Nothing is kept for the library."""

    def prepare_to_exit_span(self, *_: Any, **__: Any) -> None:
        """Nothing is kept for the library."""

    def prepare_to_drop_span(self, *_: Any, **__: Any) -> None:
        """Nothing is kept for the library."""
