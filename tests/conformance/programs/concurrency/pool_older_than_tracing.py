"""Workers that were started before recording was have the task of what they work on."""

from concurrent.futures import ThreadPoolExecutor

import openai

from agenttrace.conformance.door import configure, task


def ask(prompt: str) -> None:
    openai.OpenAI().responses.create(model="gpt-5", input=prompt)


with ThreadPoolExecutor(1) as pool:
    pool.submit(print, "warm").result()
    configure()
    for number in (1, 2):
        with task("answer"):
            pool.submit(ask, f"[answer#{number}/-/main!] Question {number}?").result()
