"""An asynchronous HTTP client is seen too."""

import asyncio
import os

import httpx

from agenttrace.conformance.door import configure, task


async def main() -> None:
    with task("answer"):
        async with httpx.AsyncClient() as client:
            body = {"model": "gpt-5", "input": "[answer/-/main!] What is a canoe?"}
            await client.post(f"{os.environ['OPENAI_BASE_URL']}/responses", json=body)


configure()
asyncio.run(main())
