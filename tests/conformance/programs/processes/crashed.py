"""A task that ends in an error keeps its calls."""

import openai

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.OpenAI()
try:
    with task("work"), agent("worker"):
        client.responses.create(model="gpt-5", input="[work/worker/main!] What can go wrong?")
        raise RuntimeError("this")
except RuntimeError:
    print("It went wrong.")
