"""A request that its client gives up on is billed, and so is its retry.

input: no response says what the request that timed out was billed
output: no response says what the request that timed out was billed
"""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI(timeout=0.7)
with task("answer"):
    client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[answer/-/main!] How many stars are there?"}],
    )
