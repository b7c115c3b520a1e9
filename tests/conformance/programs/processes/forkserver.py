"""Children of a fork server work for the task in which they were started."""

import multiprocessing

import openai

from agenttrace.conformance.door import configure, task


def ask(prompt: str) -> None:
    configure()
    openai.OpenAI().responses.create(model="gpt-5", input=prompt)


if __name__ == "__main__":
    configure()
    with task("sort"):
        child = multiprocessing.get_context("forkserver").Process(
            target=ask, args=("[sort/-/main!] Where do the numbers go?",)
        )
        child.start()
        child.join()
