"""A thread that goes on after its task has ended still makes that task's calls."""

import threading

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
go = threading.Event()


def later() -> None:
    go.wait()
    client.responses.create(model="gpt-5", input="[clean up/-/main!] What can be thrown away?")


with task("clean up"):
    thread = threading.Thread(target=later)
    thread.start()
with task("answer"):
    go.set()
    thread.join()
    client.responses.create(model="gpt-5", input="[answer/-/main!] What is a broom?")
