"""A stream whose pieces break inside characters of several bytes is estimated by characters.

input: the provider never says it: the request asks for no usage
output: the provider never says it: the request asks for no usage
"""

import openai

from agenttrace.conformance.door import configure, task

configure()
with task("tell"), openai.OpenAI() as client:
    for _ in client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[tell/-/main!] Tell it in emoji and in Greek."}],
        stream=True,
    ):
        pass
