"""A stream without a usage chunk is estimated from what passed.

input: the provider never says it: the request asks for no usage
output: the provider never says it: the request asks for no usage
"""

import openai

from agenttrace.conformance.door import configure, task

configure()
with task("tell"), openai.OpenAI() as client:
    for chunk in client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me about the planet Mars."}],
        stream=True,
    ):
        print(chunk.choices[0].delta.content or "", end="")
