"""Add a span handler to LlamaIndex's root dispatcher."""

import contextlib
from collections.abc import Generator
from typing import ClassVar

import agenttrace
from agenttrace.integration import Instrumentor


class LlamaIndexInstrumentor(Instrumentor):
    """Adds a span handler of ours to those of the root dispatcher, to which all spans come."""

    distribution: ClassVar = "llama-index-core"
    module: ClassVar = "llama_index_instrumentation"
    hook: ClassVar = "span handler"
    tested: ClassVar = ("0.14.8", "0.14.25")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Record what begins; what is under way when the handler goes is given up."""
        from llama_index_instrumentation import get_dispatcher

        from agenttrace_llamaindex.handler import AgentTraceSpanHandler

        # The meter has to be in place before the first request.
        agenttrace.configure()
        dispatcher = get_dispatcher("root")
        handler = AgentTraceSpanHandler()
        dispatcher.add_span_handler(handler)
        try:
            yield
        finally:
            # By identity: a handler is a value to the library, and equal to others.
            dispatcher.span_handlers = [
                other for other in dispatcher.span_handlers if other is not handler
            ]
            handler.give_up()
