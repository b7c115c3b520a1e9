"""Frame LiteLLM's public functions, which its router, its proxy and other frameworks call too."""

import contextlib
from collections.abc import Generator
from contextlib import ExitStack
from typing import ClassVar, Final

from agenttrace import semconv
from agenttrace.integration import Instrumentor, replaced

# Function of the module ``litellm`` -> operation; each has an async twin with an ``a`` in front.
OPERATIONS: Final = {
    "completion": semconv.CHAT,
    "embedding": semconv.EMBEDDINGS,
    "rerank": semconv.RERANK,
    "responses": semconv.CHAT,
    "text_completion": semconv.TEXT_COMPLETION,
}


class LiteLLMInstrumentor(Instrumentor):
    """Puts a frame around each call of LiteLLM, and has its callback say how a stream ended."""

    distribution: ClassVar = "litellm"
    module: ClassVar = "litellm"
    hook: ClassVar = "public functions, custom logger"
    tested: ClassVar = ("1.80", "1.106")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Frame every call that begins; streams under way at the end are let go."""
        import litellm

        import agenttrace
        from agenttrace_litellm import frames, handler
        from agenttrace_litellm.streams import STREAMS

        # The meter has to be in place before the first request.
        agenttrace.configure()
        with ExitStack() as hooks:
            for name, operation in OPERATIONS.items():
                hooks.enter_context(replaced(litellm, name, frames.framed(operation)))
                hooks.enter_context(replaced(litellm, f"a{name}", frames.framed_async(operation)))
            try:
                yield
            finally:
                handler.deafen()
                STREAMS.clear()
