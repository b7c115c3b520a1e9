"""A forked child records what it does, as part of the task it was forked in."""

import os

import openai

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.OpenAI()
with task("split"), agent("worker"):
    client.responses.create(model="gpt-5", input="[split/worker/main] What is the first half?")
    if (child := os.fork()) == 0:
        client = openai.OpenAI()
        client.responses.create(model="gpt-5", input="[split/worker/main] And the second half?")
        os._exit(0)
    os.waitpid(child, 0)
