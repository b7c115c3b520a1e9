"""The stream helper's usage, said in two events, is counted once."""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic()
with (
    task("tell"),
    client.messages.stream(
        model="claude-sonnet-5",
        max_tokens=400,
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me about organs."}],
    ) as stream,
):
    for text in stream.text_stream:
        print(text, end="")
    stream.get_final_message()
