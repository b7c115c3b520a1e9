"""A gateway with a path of its own before the protocol's is seen."""

import os

import openai

from agenttrace.conformance.door import configure, task

root = os.environ["OPENAI_BASE_URL"].removesuffix("/v1")

configure()
client = openai.OpenAI(base_url=f"{root}/team-7/llm-gateway/openai")
with task("answer"):
    client.chat.completions.create(
        model="llama-4",
        messages=[{"role": "user", "content": "[answer/-/main!] What is a lock on a canal?"}],
    )
