"""Let the spans that Strands makes itself arrive where the program has no tracer provider."""

import contextlib
import functools
from collections.abc import Callable, Generator
from typing import Any, ClassVar, Final

from agenttrace.integration import Instrumentor, guarded, joined, replaced

_SCOPE: Final = "strands.telemetry.tracer"


class StrandsInstrumentor(Instrumentor):
    """Stands in for the global tracer provider of Strands' tracer, as long as there is none."""

    distribution: ClassVar = "strands-agents"
    module: ClassVar = "strands.telemetry.tracer"
    hook: ClassVar = "its own OpenTelemetry spans"
    tested: ClassVar = ("1.17", "1.62")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Take over the tracer, now or when the first agent makes it."""
        from strands.telemetry import tracer as module

        with contextlib.ExitStack() as hooks:
            hooks.enter_context(replaced(module.Tracer, "__init__", _taken_over))
            made = module._tracer_instance  # noqa: SLF001 - asking for it would make it
            if made is not None:
                hooks.enter_context(replaced(made.tracer, "start_span", joined(_SCOPE)))
            yield


def _taken_over(
    original: Callable[..., None], is_wanted: Callable[[], bool]
) -> Callable[..., None]:
    @functools.wraps(original)
    def make(tracer: Any, *args: Any, **kwargs: Any) -> None:
        original(tracer, *args, **kwargs)
        _take_over(tracer, is_wanted)

    return make


@guarded("the tracer of Strands")
def _take_over(made: Any, is_wanted: Callable[[], bool]) -> None:
    made.tracer.start_span = joined(_SCOPE)(made.tracer.start_span, is_wanted)
