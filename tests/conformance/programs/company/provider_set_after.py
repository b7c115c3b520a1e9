"""A tracer provider that the program sets later changes nothing in the count."""

import openai
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.OpenAI()
with task("first"):
    client.responses.create(model="gpt-5", input="[first/-/main!] What is a tavern?")
trace.set_tracer_provider(TracerProvider())
with task("second"), agent("guide"), trace.get_tracer("shop").start_as_current_span("GET /answer"):
    client.responses.create(model="gpt-5", input="[second/guide/main!] What is a hostel?")
