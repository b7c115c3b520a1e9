"""An attempt that fails after the model has worked is billed, and so is its retry.

input: no response says what the attempt that failed was billed
output: no response says what the attempt that failed was billed
"""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("answer"):
    client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[answer/-/main!] How old is the oldest tree?"}],
    )
