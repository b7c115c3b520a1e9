"""The older text completions are calls."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("complete"):
    client.completions.create(model="gpt-3.5-turbo-instruct", prompt="[complete/-/main!] Once upon")
