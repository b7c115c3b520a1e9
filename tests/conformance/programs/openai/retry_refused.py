"""An attempt that is refused costs nothing; the SDK's retry is the call, and says it is one."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("answer"):
    client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[answer/-/main!] How tall is a giraffe?"}],
    )
