"""A response whose usage is all null says nothing, and what is not known is not zero.

input: the provider sends null
output: the provider sends null
"""

import os

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI(base_url=os.environ["OPENAI_BASE_URL"])
with task("answer"):
    client.chat.completions.create(
        model="llama-4",
        messages=[{"role": "user", "content": "[answer/-/main!] What is a volcano?"}],
    )
