"""Each response of a conversation over a websocket is a call."""

import asyncio

import openai
import websockets  # noqa: F401 - the SDK needs it here

from agenttrace.conformance.door import configure, task


async def main() -> None:
    async with openai.AsyncOpenAI() as client:
        with task("talk"):
            async with client.realtime.connect(model="gpt-realtime") as connection:
                for turn in (1, 2):
                    item = {
                        "type": "message",
                        "role": "user",
                        "content": [
                            {"type": "input_text", "text": f"[talk/-/main] This is turn {turn}."}
                        ],
                    }
                    await connection.conversation.item.create(item=item)
                    await connection.response.create(response={"output_modalities": ["text"]})
                    async for event in connection:
                        if event.type == "response.done":
                            break


configure()
asyncio.run(main())
