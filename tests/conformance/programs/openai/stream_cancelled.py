"""A task of asyncio that is cancelled in mid-stream leaves one call, estimated.

input: the provider says it at the end, which never came
output: the provider says it at the end, which never came
"""

import asyncio
import contextlib

import openai

from agenttrace.conformance.door import configure, task


async def read(client: openai.AsyncOpenAI, begun: asyncio.Event) -> None:
    stream = await client.chat.completions.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[tell/-/main] Tell me everything about eels."}],
        stream=True,
    )
    count = 0
    async for _ in stream:
        count += 1
        if count == 14:
            begun.set()


async def main() -> None:
    async with openai.AsyncOpenAI() as client:
        with task("tell"):
            begun = asyncio.Event()
            reading = asyncio.create_task(read(client, begun))
            await begun.wait()
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading


configure()
asyncio.run(main())
