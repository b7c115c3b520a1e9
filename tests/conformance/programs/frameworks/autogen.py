"""AutoGen: each turn of an agent in a team is a call of that agent."""

import asyncio
import os

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient

from agenttrace.conformance.door import configure, task


def agent(name: str) -> AssistantAgent:
    client = OpenAIChatCompletionClient(
        model="gpt-4o", base_url=os.environ["OPENAI_BASE_URL"], api_key="test"
    )
    return AssistantAgent(
        name, model_client=client, system_message=f"[debate/{name}/main] You are {name}."
    )


async def main() -> None:
    team = RoundRobinGroupChat([agent("pro"), agent("contra")], max_turns=2)
    with task("debate"):
        await team.run(task="Tea or coffee?")


configure()
asyncio.run(main())
