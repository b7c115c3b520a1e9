"""A compressed stream is read like any other."""

import openai

from agenttrace.conformance.door import configure, task

configure()
with task("tell"), openai.OpenAI() as client:
    for _ in client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me about Saturn's rings."}],
        stream=True,
        stream_options={"include_usage": True},
    ):
        pass
