"""Two attempts that are refused and a third that works are one call, a retry."""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic(max_retries=3)
with task("answer"):
    client.messages.create(
        model="claude-sonnet-5",
        max_tokens=200,
        messages=[{"role": "user", "content": "[answer/-/main!] What is a zither?"}],
    )
