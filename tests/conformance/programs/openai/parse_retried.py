"""A program that asks again until an answer can be parsed makes a call each time."""

import json

import openai

from agenttrace.conformance.door import configure, role, task

configure()
client = openai.OpenAI()


def ask(prompt: str) -> str:
    return client.responses.create(model="gpt-5", input=prompt).output_text


with task("extract"):
    try:
        json.loads(ask("[extract/-/main] Answer in JSON."))
    except json.JSONDecodeError:
        with role("retry"):
            ask("[extract/-/retry] In JSON, please, and nothing else.")
