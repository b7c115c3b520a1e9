"""A task that is a generator is not around what happens between its values."""

from collections.abc import Iterator

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()


def ask(prompt: str) -> str:
    return client.responses.create(model="gpt-5", input=prompt).output_text


@task("drafts")
def drafts() -> Iterator[str]:
    yield ask("[drafts/-/main] A first draft.")
    yield ask("[drafts/-/main] A second draft.")


for number, _ in enumerate(drafts()):
    with task("review"):
        ask(f"[review#{number}/-/main] Is it any good?")
