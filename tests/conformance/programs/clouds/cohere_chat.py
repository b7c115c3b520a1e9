"""A chat with Cohere is a call."""

import cohere

from agenttrace.conformance.door import configure, task

configure()
client = cohere.ClientV2()
with task("answer"):
    client.chat(
        model="command-a",
        messages=[{"role": "user", "content": "[answer/-/main!] What is basalt?"}],
    )
