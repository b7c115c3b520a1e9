"""Raw events hold cumulative counts; the last one is the call's."""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic()
with task("tell"):
    for event in client.messages.create(
        model="claude-sonnet-5",
        max_tokens=400,
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me about flutes."}],
        stream=True,
    ):
        print(event.type)
