"""Looking a finished response up again is no call."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("answer"):
    made = client.responses.create(model="gpt-5", input="[answer/-/main!] How deep is the sea?")
    again = client.responses.retrieve(made.id)
assert again.output_text == made.output_text
