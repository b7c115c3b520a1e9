"""Counting the tokens of a prompt is no call."""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic()
prompt = [{"role": "user", "content": "[answer/-/main!] What is an oboe?"}]
with task("answer"):
    counted = client.messages.count_tokens(model="claude-sonnet-5", messages=prompt)
    if counted.input_tokens < 1000:
        client.messages.create(model="claude-sonnet-5", max_tokens=200, messages=prompt)
