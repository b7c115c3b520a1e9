"""A stream that is read with requests is counted at its end."""

import os

import requests

from agenttrace.conformance.door import configure, task

configure()
with (
    task("answer"),
    requests.post(
        f"{os.environ['ANTHROPIC_BASE_URL']}/v1/messages",
        headers={"x-api-key": "test", "anthropic-version": "2023-06-01"},
        json={
            "model": "claude-sonnet-5",
            "max_tokens": 200,
            "stream": True,
            "messages": [{"role": "user", "content": "[answer/-/main!] What is a galleon?"}],
        },
        stream=True,
        timeout=10,
    ) as response,
):
    for line in response.iter_lines():
        print(line)
