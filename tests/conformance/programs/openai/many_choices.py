"""A request for three choices is one call with the output of three."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("name"):
    client.chat.completions.create(
        model="gpt-5",
        n=3,
        messages=[{"role": "user", "content": "[name/-/main!] Name a boat."}],
    )
