"""A stream that its reader closes half-way is one call, estimated from what had passed.

input: the provider says it at the end, which never came
output: the provider says it at the end, which never came
"""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with (
    task("tell"),
    client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me everything about whales."}],
        stream=True,
        stream_options={"include_usage": True},
    ) as stream,
):
    for count, _ in enumerate(stream):
        if count == 13:
            break
