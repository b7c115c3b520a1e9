"""Work that a task hands to a pool of processes is the task's."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import openai

from agenttrace.conformance.door import agent, configure, task


def ask(prompt: str) -> None:
    openai.OpenAI().responses.create(model="gpt-5", input=prompt)


if __name__ == "__main__":
    configure()
    fork = multiprocessing.get_context("fork")
    with task("count"), agent("teller"), ProcessPoolExecutor(2, mp_context=fork) as pool:
        list(pool.map(ask, [f"[count/teller/main] How many in row {n}?" for n in range(4)]))
