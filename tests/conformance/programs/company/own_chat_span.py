"""A span that the program makes around a call, with usage of its own, is not a second call."""

import openai
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from agenttrace.conformance.door import configure, task

trace.set_tracer_provider(TracerProvider())
configure()
client = openai.OpenAI()
with task("answer"), trace.get_tracer("mine").start_as_current_span("chat gpt-5") as span:
    reply = client.responses.create(model="gpt-5", input="[answer/-/main!] What is a barn?")
    span.set_attribute("gen_ai.operation.name", "chat")
    span.set_attribute("gen_ai.response.id", reply.id)
    span.set_attribute("gen_ai.usage.input_tokens", reply.usage.input_tokens)
    span.set_attribute("gen_ai.usage.output_tokens", reply.usage.output_tokens)
