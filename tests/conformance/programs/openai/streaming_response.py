"""A body that is read by the line, without the SDK's parsing, is counted."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with (
    task("answer"),
    client.chat.completions.with_streaming_response.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[answer/-/main!] How long is a day on Venus?"}],
    ) as response,
):
    text = "".join(response.iter_lines())
assert "usage" in text
