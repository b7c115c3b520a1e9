"""A process that leaves by ``os._exit`` has recorded what it did."""

import os

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("work"):
    client.responses.create(model="gpt-5", input="[work/-/main!] What is left to do?")
    os._exit(0)
