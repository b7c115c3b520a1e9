"""Thinking is output; what of it is reasoning is said where the provider says it."""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic()
with task("think"):
    client.messages.create(
        model="claude-sonnet-5",
        max_tokens=4000,
        thinking={"type": "enabled", "budget_tokens": 2000},
        messages=[{"role": "user", "content": "[think/-/main!] Is 119 a prime number?"}],
    )
