"""A stream that the provider breaks off is one call, estimated from what had passed.

input: the provider says it at the end, which never came
output: the provider says it at the end, which never came
"""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI(max_retries=0)
with task("tell"):
    try:
        for _ in client.chat.completions.create(
            model="gpt-5",
            messages=[{"role": "user", "content": "[tell/-/main] Tell me everything about oaks."}],
            stream=True,
        ):
            pass
    except Exception as error:
        print(type(error).__name__)
