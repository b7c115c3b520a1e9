"""What the provider asks other models on its own while it answers are calls of their own."""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic()
with task("answer"):
    client.beta.messages.create(
        model="claude-sonnet-5",
        max_tokens=200,
        messages=[{"role": "user", "content": "[answer/-/main] What is a cello?"}],
    )
