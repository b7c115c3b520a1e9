"""A call made with urllib3, which requests and botocore stand on, is a call."""

import os

import urllib3

from agenttrace.conformance.door import configure, task

configure()
with task("answer"):
    urllib3.request(
        "POST",
        f"{os.environ['OPENAI_BASE_URL']}/responses",
        json={"model": "gpt-5", "input": "[answer/-/main!] What is a dinghy?"},
    )
