"""A call made with aiohttp is a call."""

import asyncio
import os

import aiohttp

from agenttrace.conformance.door import configure, task


async def main() -> None:
    body = {"model": "gpt-5", "input": "[answer/-/main!] What is a gondola?"}
    with task("answer"):
        async with aiohttp.ClientSession() as session:
            url = f"{os.environ['OPENAI_BASE_URL']}/responses"
            async with session.post(url, json=body) as response:
                await response.json()


configure()
asyncio.run(main())
