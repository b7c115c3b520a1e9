"""What is written for an hour is part of what is written."""

import anthropic

from agenttrace.conformance.door import configure, task

RULES = "[answer/-/main] " + "Answer in one sentence, and name where you know it from. " * 100
HOUR = {"type": "ephemeral", "ttl": "1h"}

configure()
client = anthropic.Anthropic()
with task("answer"):
    for question in ("What is a sonata?", "What is a rondo?"):
        client.messages.create(
            model="claude-sonnet-5",
            max_tokens=200,
            system=[{"type": "text", "text": RULES, "cache_control": HOUR}],
            messages=[{"role": "user", "content": question}],
        )
