"""A coroutine that is started and left outlives its task, and its call stays the task's."""

import asyncio

import openai

from agenttrace.conformance.door import configure, role, task


async def main() -> None:
    async with openai.AsyncOpenAI() as client:
        go = asyncio.Event()

        async def summarise() -> None:
            await go.wait()
            with role("summary"):
                await client.responses.create(
                    model="gpt-5", input="[talk/-/summary] What was this about?"
                )

        with task("talk"):
            left = asyncio.create_task(summarise())
            await client.responses.create(model="gpt-5", input="[talk/-/main!] How do bees talk?")
        go.set()
        await left


configure()
asyncio.run(main())
