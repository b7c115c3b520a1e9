"""Coroutines of a task group belong to the task around the group."""

import asyncio

import openai

from agenttrace.conformance.door import configure, task


async def main() -> None:
    async with openai.AsyncOpenAI() as client:
        with task("plan"):
            async with asyncio.TaskGroup() as group:
                for number in range(3):
                    prompt = f"[plan/-/main] What comes as number {number}?"
                    group.create_task(client.responses.create(model="gpt-5", input=prompt))


configure()
asyncio.run(main())
