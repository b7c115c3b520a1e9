"""httpx2, on which the newest SDKs stand, is seen without an SDK."""

import os

import httpx2

from agenttrace.conformance.door import configure, task

configure()
with task("answer"), httpx2.Client() as client:
    body = {"model": "gpt-5", "input": "[answer/-/main!] What is a raft?"}
    client.post(f"{os.environ['OPENAI_BASE_URL']}/responses", json=body).raise_for_status()
