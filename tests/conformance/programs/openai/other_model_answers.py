"""Where a gateway lets another model answer, the call is that model's."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("answer"):
    client.responses.create(model="gpt-5", input="[answer/-/main!] What is a glacier?")
