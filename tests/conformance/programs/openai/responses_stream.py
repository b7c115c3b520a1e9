"""A streamed response says its usage in its last event."""

import openai

from agenttrace.conformance.door import configure, task

configure()
with task("tell"), openai.OpenAI() as client:
    prompt = "[tell/-/main!] Tell me a story about a lighthouse."
    for event in client.responses.create(model="gpt-5", input=prompt, stream=True):
        if event.type == "response.output_text.delta":
            print(event.delta, end="")
