"""A message is one call, and its input includes what the protocol leaves out."""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic()
with task("answer"):
    client.messages.create(
        model="claude-sonnet-5",
        max_tokens=200,
        messages=[{"role": "user", "content": "[answer/-/main!] What is a harpsichord?"}],
    )
