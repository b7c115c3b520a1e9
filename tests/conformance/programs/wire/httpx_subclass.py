"""A client that somebody else subclassed is seen at the transport below it."""

import os

import httpx

from agenttrace.conformance.door import configure, task


class Client(httpx.Client):
    def ask(self, prompt: str) -> str:
        body = {"model": "gpt-5", "input": prompt}
        return self.post("/responses", json=body).json()["output"][0]["content"][0]["text"]


configure()
transport = httpx.HTTPTransport(retries=1)
with task("answer"), Client(transport=transport, base_url=os.environ["OPENAI_BASE_URL"]) as client:
    client.ask("[answer/-/main!] What is an anchor?")
