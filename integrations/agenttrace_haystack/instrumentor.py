"""Frame what Haystack traces, whatever tracer the program has enabled, or none."""

import contextlib
import functools
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import agenttrace
from agenttrace.integration import Instrumentor, guarded, replaced


class HaystackInstrumentor(Instrumentor):
    """Wraps the one method that everything traced in Haystack goes through."""

    distribution: ClassVar = "haystack-ai"
    module: ClassVar = "haystack.tracing.tracer"
    hook: ClassVar = "its own tracing"
    tested: ClassVar = ("3.0", "3.4")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Frame every operation that begins; the program's own tracer stays as it is."""
        from haystack.tracing.tracer import ProxyTracer

        with replaced(ProxyTracer, "trace", _traced):
            yield


def _traced(original: Callable[..., Any], is_wanted: Callable[[], bool]) -> Callable[..., Any]:
    @contextlib.contextmanager
    @functools.wraps(original)
    def trace(
        tracer: Any, operation_name: str, tags: Any = None, parent_span: Any = None
    ) -> Generator[Any]:
        theirs = original(tracer, operation_name, tags=tags, parent_span=parent_span)
        ours = _frame_of(operation_name, tags or {}) if is_wanted() else None
        with theirs as span, ours or _NOTHING:
            yield span

    return trace


@guarded("an operation of Haystack")
def _frame_of(operation: str, tags: dict[str, Any]) -> AbstractContextManager[None] | None:
    if operation == "haystack.pipeline.run":
        metadata = tags.get("haystack.pipeline.metadata")
        named = metadata.get("name") if isinstance(metadata, dict) else None
        return _frame("step", named or "pipeline")
    if operation == "haystack.component.run":
        return _frame("step", tags.get("haystack.component.name") or "component")
    if operation == "haystack.agent.run":
        return _frame("agent", _agent_name())
    if operation == "haystack.agent.step.tool":
        return _frame("tool", tags.get("haystack.tool.name") or "tool")
    return None


def _agent_name() -> str:
    """Return the name of the component, or of the tool, that an agent is; it has none itself."""
    around = agenttrace.current()
    if around is None or around.parent is None or around.kind not in ("step", "tool"):
        return "agent"
    return around.name


@contextlib.contextmanager
def _frame(kind: Any, name: object) -> Generator[None]:
    frame = agenttrace.start(kind, str(name))
    # A pipeline that is run as a generator is left in whatever context that is closed in.
    frame.attach(loose=True)
    caught: BaseException | None = None
    try:
        yield
    except BaseException as error:
        caught = error
        raise
    finally:
        frame.detach()
        frame.end(caught)


_NOTHING = contextlib.nullcontext()
