"""A stream that is still open when the interpreter ends is counted as abandoned.

input: the provider says it at the end, which never came
output: the provider says it at the end, which never came
"""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("tell"):
    stream = client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me everything about owls."}],
        stream=True,
    )
    words = [next(stream) for _ in range(14)]
