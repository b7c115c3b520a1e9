"""A prefix is written to the cache once and read from it afterwards."""

import anthropic

from agenttrace.conformance.door import configure, task

RULES = "[answer/-/main] " + "Answer in one sentence, and name where you know it from. " * 100

configure()
client = anthropic.Anthropic()
with task("answer"):
    for question in ("What is a fugue?", "What is a canon?"):
        client.messages.create(
            model="claude-sonnet-5",
            max_tokens=200,
            system=[{"type": "text", "text": RULES, "cache_control": {"type": "ephemeral"}}],
            messages=[{"role": "user", "content": question}],
        )
