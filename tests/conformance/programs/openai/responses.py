"""A response and the one that continues it are two calls; the second one's input has both turns."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("talk"):
    first = client.responses.create(model="gpt-5", input="[talk/-/main] Name a river in Asia.")
    client.responses.create(
        model="gpt-5",
        input="[talk/-/main!] And where does it end?",
        previous_response_id=first.id,
    )
