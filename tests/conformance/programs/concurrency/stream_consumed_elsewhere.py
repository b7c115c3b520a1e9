"""A stream that is begun in an agent and read by another belongs to the one that began it."""

import openai

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.OpenAI()
with task("relay"):
    with agent("speaker"):
        stream = client.chat.completions.create(
            model="gpt-5",
            messages=[{"role": "user", "content": "[relay/speaker/main] Speak slowly."}],
            stream=True,
            stream_options={"include_usage": True},
        )
    with agent("listener"):
        heard = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
        client.responses.create(model="gpt-5", input="[relay/listener/main!] What was said?")
