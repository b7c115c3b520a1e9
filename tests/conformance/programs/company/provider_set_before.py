"""A tracer provider that the program has set before is joined, and neither replaced nor doubled."""

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

provider = TracerProvider()
trace.set_tracer_provider(provider)

import openai  # noqa: E402

from agenttrace.conformance.door import agent, configure, task  # noqa: E402

configure()
with task("answer"), agent("guide"), trace.get_tracer("shop").start_as_current_span("GET /answer"):
    openai.OpenAI().responses.create(model="gpt-5", input="[answer/guide/main!] What is an inn?")
assert trace.get_tracer_provider() is provider
