"""A stream that says its usage in a last chunk is exact."""

import openai

from agenttrace.conformance.door import configure, task

configure()
with task("tell"), openai.OpenAI() as client:
    for chunk in client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me about the moon."}],
        stream=True,
        stream_options={"include_usage": True},
    ):
        for choice in chunk.choices:
            print(choice.delta.content or "", end="")
