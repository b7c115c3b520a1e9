"""Calls in the workers of a pool belong to the task that handed in the work."""

from concurrent.futures import ThreadPoolExecutor

import openai

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.OpenAI()


def ask(prompt: str) -> None:
    client.responses.create(model="gpt-5", input=prompt)


with ThreadPoolExecutor(2) as pool:
    for name in ("north", "south"):
        with task(name), agent("scout"):
            prompts = [f"[{name}/scout/main] What is in the {name}, part {n}?" for n in range(3)]
            list(pool.map(ask, prompts))
