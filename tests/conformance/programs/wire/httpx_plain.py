"""A program that has no SDK and speaks HTTP by itself is seen."""

import os

import httpx

from agenttrace.conformance.door import configure, task

configure()
with task("answer"), httpx.Client() as client:
    client.post(
        f"{os.environ['OPENAI_BASE_URL']}/chat/completions",
        headers={"Authorization": "Bearer test"},
        json={
            "model": "gpt-5",
            "messages": [{"role": "user", "content": "[answer/-/main!] What is a ferry?"}],
        },
    ).raise_for_status()
