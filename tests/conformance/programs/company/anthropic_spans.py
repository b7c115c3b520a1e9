"""The spans that Anthropic's SDK makes by itself are not counted beside its calls."""

import anthropic
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from agenttrace.conformance.door import agent, configure, task

trace.set_tracer_provider(TracerProvider())
configure()
client = anthropic.Anthropic()
with task("answer"), agent("guide"):
    for question in ("What is a cabin?", "What is a hut?"):
        client.messages.create(
            model="claude-sonnet-5",
            max_tokens=200,
            messages=[{"role": "user", "content": f"[answer/guide/main] {question}"}],
        )
