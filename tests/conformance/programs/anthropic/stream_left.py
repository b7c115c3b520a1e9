"""A stream that is left half-way has said its input; its output is estimated.

output: the provider says it at the end, which never came
"""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic()
with (
    task("tell"),
    client.messages.stream(
        model="claude-sonnet-5",
        max_tokens=400,
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me everything about drums."}],
    ) as stream,
):
    words = ""
    for text in stream.text_stream:
        words += text
        if len(words) > 70:
            break
