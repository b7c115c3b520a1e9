"""Workers of a forked pool, which leave without a word, lose no call."""

import multiprocessing

import openai

from agenttrace.conformance.door import configure, task


def ask(prompt: str) -> None:
    openai.OpenAI().responses.create(model="gpt-5", input=prompt)


if __name__ == "__main__":
    configure()
    with task("sort"), multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(ask, [f"[sort/-/main] Where does number {n} go?" for n in range(4)])
