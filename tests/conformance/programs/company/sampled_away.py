"""A sampler that keeps nothing thins nothing out of the count."""

import openai
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from agenttrace.conformance.door import agent, configure, task

trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF))
configure()
with task("answer"), agent("guide"):
    openai.OpenAI().responses.create(model="gpt-5", input="[answer/guide/main!] What is a lodge?")
