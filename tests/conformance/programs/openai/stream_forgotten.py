"""A stream that is left by ``break`` and never closed is counted when it is collected.

input: the provider says it at the end, which never came
output: the provider says it at the end, which never came
"""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()


def first_words() -> str:
    stream = client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me everything about bees."}],
        stream=True,
    )
    words = ""
    for chunk in stream:
        words += chunk.choices[0].delta.content or ""
        if len(words) > 70:
            break
    return words


with task("tell"):
    first_words()
