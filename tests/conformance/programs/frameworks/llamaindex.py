"""LlamaIndex: a model that an agent's tool calls is the tool's."""

import asyncio
import os

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai import OpenAI

from agenttrace.conformance.door import configure, task

configure()
model = OpenAI(model="gpt-4o", api_base=os.environ["OPENAI_BASE_URL"], api_key="test")


def look_up(question: str) -> str:
    """Look it up."""
    return model.complete("[write/writer/tool] Which page?").text


async def main() -> None:
    writer = FunctionAgent(
        name="writer",
        description="Writes.",
        system_prompt="[write/writer/main!] You write.",
        llm=model,
        tools=[look_up],
        streaming=False,
    )
    with task("write"):
        await writer.run("Why is the sky blue?")


asyncio.run(main())
