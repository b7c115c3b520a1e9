"""What an asynchronous generator holds is not around its consumer."""

import asyncio
from collections.abc import AsyncIterator

import openai

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.AsyncOpenAI()


@agent("narrator")
async def chapters() -> AsyncIterator[str]:
    for number in (1, 2):
        reply = await client.responses.create(
            model="gpt-5", input=f"[book/narrator/main] Chapter {number}, please."
        )
        yield reply.output_text


async def main() -> None:
    with task("book"):
        async for _ in chapters():
            await client.responses.create(model="gpt-5", input="[book/-/main] Is this a good one?")


asyncio.run(main())
