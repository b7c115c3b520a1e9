"""Switch on the spans that Pydantic AI makes itself, without content."""

import contextlib
from collections.abc import Generator
from typing import ClassVar

from agenttrace.integration import Instrumentor, tracer_provider


class PydanticAIInstrumentor(Instrumentor):
    """Sets what agents are instrumented with by default, unless the program has set it itself."""

    distribution: ClassVar = "pydantic-ai-slim"
    module: ClassVar = "pydantic_ai"
    hook: ClassVar = "its own OpenTelemetry spans"
    tested: ClassVar = ("2.0", "2.68")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Instrument every agent that is not told otherwise."""
        from opentelemetry.metrics import NoOpMeterProvider
        from pydantic_ai import Agent
        from pydantic_ai.models.instrumented import InstrumentationSettings

        # There is a function to set the default, but none to ask for it.
        if Agent._instrument_default:  # noqa: SLF001
            yield
            return
        settings = InstrumentationSettings(
            tracer_provider=tracer_provider(),
            # The program did not ask for metrics.
            meter_provider=NoOpMeterProvider(),
            include_content=False,
            include_binary_content=False,
        )
        Agent.instrument_all(settings)
        try:
            yield
        finally:
            if Agent._instrument_default is settings:  # noqa: SLF001
                Agent.instrument_all(instrument=False)
