"""The asynchronous client's messages are counted like the others."""

import asyncio

import anthropic

from agenttrace.conformance.door import agent, configure, task


async def main() -> None:
    async with anthropic.AsyncAnthropic() as client:
        with task("answer"), agent("musician"):
            await client.messages.create(
                model="claude-sonnet-5",
                max_tokens=200,
                messages=[{"role": "user", "content": "[answer/musician/main!] What is a lute?"}],
            )


configure()
asyncio.run(main())
