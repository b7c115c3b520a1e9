"""A spawned child works for the task in which it was started."""

import multiprocessing

import openai

from agenttrace.conformance.door import configure, task


def ask(prompt: str) -> None:
    configure()
    openai.OpenAI().responses.create(model="gpt-5", input=prompt)


if __name__ == "__main__":
    configure()
    with task("sort"):
        child = multiprocessing.get_context("spawn").Process(
            target=ask, args=("[sort/-/main!] Where do the letters go?",)
        )
        child.start()
        child.join()
