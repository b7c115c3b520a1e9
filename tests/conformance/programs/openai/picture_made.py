"""A picture that is made is a call, with the tokens that the provider says."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("paint"):
    client.images.generate(model="gpt-image-1", prompt="[paint/-/main!] A boat at dawn.")
