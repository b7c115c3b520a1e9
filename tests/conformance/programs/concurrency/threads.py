"""Calls in threads that a task starts are the task's."""

import threading

import openai

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.OpenAI()


def ask(prompt: str) -> None:
    client.responses.create(model="gpt-5", input=prompt)


with task("survey"), agent("asker"):
    prompts = [f"[survey/asker/main] Question {number}?" for number in range(4)]
    started = [threading.Thread(target=ask, args=(prompt,)) for prompt in prompts]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
