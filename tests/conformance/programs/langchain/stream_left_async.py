"""An asynchronous stream that is left half-way is one call, estimated.

input: the provider says it at the end, which never came
output: the provider says it at the end, which never came
"""

import asyncio
from contextlib import aclosing

from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import configure, task


async def main() -> None:
    model = ChatOpenAI(model="gpt-5", stream_usage=True)
    words = ""
    with task("tell"):
        async with aclosing(model.astream("[tell/-/main] Tell me all about weaving.")) as stream:
            async for chunk in stream:
                words += chunk.text
                if len(words) > 70:
                    break


configure()
asyncio.run(main())
