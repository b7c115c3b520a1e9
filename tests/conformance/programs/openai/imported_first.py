"""Clients and methods that exist before recording starts are recorded."""

import openai
from openai.resources.chat.completions import Completions

create = Completions.create
client = openai.OpenAI()
ask = client.chat.completions.create

from agenttrace.conformance.door import configure, task  # noqa: E402

configure()
with task("answer"):
    ask(
        model="gpt-5",
        messages=[{"role": "user", "content": "[answer/-/main] What is a bay?"}],
    )
    create(
        client.chat.completions,
        model="gpt-5",
        messages=[{"role": "user", "content": "[answer/-/main!] What is a cape?"}],
    )
