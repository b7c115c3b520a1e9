"""The raw response of a message is untouched and counted."""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic()
with task("answer"):
    raw = client.messages.with_raw_response.create(
        model="claude-sonnet-5",
        max_tokens=200,
        messages=[{"role": "user", "content": "[answer/-/main!] What is a viola?"}],
    )
assert raw.parse().usage.output_tokens
