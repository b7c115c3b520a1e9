"""A stream that is read with aiohttp is counted at its end."""

import asyncio
import os

import aiohttp

from agenttrace.conformance.door import configure, task

BODY = {
    "model": "gpt-5",
    "stream": True,
    "stream_options": {"include_usage": True},
    "messages": [{"role": "user", "content": "[answer/-/main!] What is a catamaran?"}],
}


async def main() -> None:
    with task("answer"):
        async with aiohttp.ClientSession() as session:
            url = f"{os.environ['OPENAI_BASE_URL']}/chat/completions"
            async with session.post(url, json=BODY) as response:
                async for line in response.content:
                    print(line)


configure()
asyncio.run(main())
