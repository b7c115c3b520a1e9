"""A task that is started inside another is a task of its own; the outer one goes on after it."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("week"):
    client.responses.create(model="gpt-5", input="[week/-/main] What is on?")
    with task("monday"):
        client.responses.create(model="gpt-5", input="[monday/-/main!] What is on on Monday?")
    client.responses.create(model="gpt-5", input="[week/-/main!] So what shall I do?")
