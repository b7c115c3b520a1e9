"""Azure's client and its paths are understood."""

import os

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.AzureOpenAI(
    azure_endpoint=os.environ["OPENAI_BASE_URL"].removesuffix("/v1"),
    api_key="test",
    api_version="2026-10-01",
)
with task("answer"):
    client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[answer/-/main!] What is a monsoon?"}],
    )
