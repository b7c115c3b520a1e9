"""A call outside of every frame is counted and is nobody's."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
client.responses.create(model="gpt-5", input="[-/-/main!] What is a hermit?")
with task("answer"):
    client.responses.create(model="gpt-5", input="[answer/-/main!] What is a monk?")
