"""The SDK's stream helper is one call, with the usage it asked for."""

import openai

from agenttrace.conformance.door import configure, task

configure()
with (
    task("tell"),
    openai.OpenAI() as client,
    client.chat.completions.stream(
        model="gpt-5",
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me about the sun."}],
        stream_options={"include_usage": True},
    ) as stream,
):
    stream.until_done()
