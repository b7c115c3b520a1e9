"""A synchronous client in ``asyncio.to_thread`` and in the loop's executor has its place."""

import asyncio

import openai

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.OpenAI()


def ask(prompt: str) -> None:
    client.responses.create(model="gpt-5", input=prompt)


async def main() -> None:
    with task("plan"), agent("clerk"):
        await asyncio.to_thread(ask, "[plan/clerk/main] What is to be filed?")
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, ask, "[plan/clerk/main] And what to be signed?")


asyncio.run(main())
