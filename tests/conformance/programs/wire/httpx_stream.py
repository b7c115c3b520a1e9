"""Lines of a stream that a program reads by itself are counted at the last one."""

import os

import httpx

from agenttrace.conformance.door import configure, task

configure()
with (
    task("answer"),
    httpx.Client() as client,
    client.stream(
        "POST",
        f"{os.environ['OPENAI_BASE_URL']}/chat/completions",
        json={
            "model": "gpt-5",
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [{"role": "user", "content": "[answer/-/main!] What is a barge?"}],
        },
    ) as response,
):
    for line in response.iter_lines():
        print(line)
