"""Two runs of the same task at once share nothing."""

import asyncio

import openai

from agenttrace.conformance.door import agent, configure, task


async def answer(client: openai.AsyncOpenAI, number: int) -> None:
    with task("answer"):
        with agent("researcher"):
            await client.responses.create(
                model="gpt-5", input=f"[answer#{number}/researcher/main] Look up {number}."
            )
        await asyncio.sleep(0)
        with agent("writer"):
            await client.responses.create(
                model="gpt-5", input=f"[answer#{number}/writer/main!] Write up {number}."
            )


async def main() -> None:
    async with openai.AsyncOpenAI() as client:
        await asyncio.gather(*(answer(client, number) for number in range(3)))


configure()
asyncio.run(main())
