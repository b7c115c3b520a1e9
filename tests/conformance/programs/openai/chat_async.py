"""The asynchronous client's calls are counted like the others."""

import asyncio

import openai

from agenttrace.conformance.door import configure, task


async def main() -> None:
    async with openai.AsyncOpenAI() as client:
        with task("answer"):
            await client.chat.completions.create(
                model="gpt-5",
                messages=[{"role": "user", "content": "[answer/-/main!] Why is the sky blue?"}],
            )


configure()
asyncio.run(main())
