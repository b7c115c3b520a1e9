"""Parallel coroutines keep their agents apart."""

import asyncio

import openai

from agenttrace.conformance.door import agent, configure, task


async def work(client: openai.AsyncOpenAI, name: str) -> None:
    with agent(name):
        for step in (1, 2):
            await client.responses.create(
                model="gpt-5", input=f"[plan/{name}/main] Step {step} of the {name}?"
            )


async def main() -> None:
    async with openai.AsyncOpenAI() as client:
        with task("plan"):
            await asyncio.gather(*(work(client, name) for name in ("cook", "baker", "waiter")))


configure()
asyncio.run(main())
