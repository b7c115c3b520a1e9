"""A chat completion is one call of its task."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("answer"):
    reply = client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[answer/-/main!] What is a teapot made of?"}],
    )
print(reply.choices[0].message.content)
