"""A response that is made in the background and polled three times is one call."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("study"):
    response = client.responses.create(
        model="gpt-5", input="[study/-/main!] Study the tides at length.", background=True
    )
    for _ in range(3):
        response = client.responses.retrieve(response.id)
