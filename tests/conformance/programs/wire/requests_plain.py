"""A call made with requests is a call."""

import os

import requests

from agenttrace.conformance.door import configure, task

configure()
with task("answer"):
    requests.post(
        f"{os.environ['OPENAI_BASE_URL']}/chat/completions",
        json={
            "model": "gpt-5",
            "messages": [{"role": "user", "content": "[answer/-/main!] What is a schooner?"}],
        },
        timeout=10,
    ).raise_for_status()
