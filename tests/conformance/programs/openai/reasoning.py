"""Reasoning is part of the output, whether it is shown or not."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("think"):
    client.chat.completions.create(
        model="gpt-5",
        reasoning_effort="high",
        messages=[{"role": "user", "content": "[think/-/main] Is 91 a prime number?"}],
    )
    client.responses.create(
        model="gpt-5", reasoning={"effort": "high"}, input="[think/-/main!] And is 97?"
    )
