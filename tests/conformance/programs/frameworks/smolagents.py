"""smolagents: a managed agent is a sub-agent, each step is a call."""

import os

from smolagents import OpenAIServerModel, ToolCallingAgent

from agenttrace.conformance.door import configure, task

configure()
model = OpenAIServerModel(model_id="gpt-4o", api_base=os.environ["OPENAI_BASE_URL"], api_key="test")


def agent(name: str, role: str, **more: object) -> ToolCallingAgent:
    return ToolCallingAgent(
        model=model,
        name=name,
        description=name,
        instructions=f"[find/{name}/{role}] You are {name}.",
        tools=[],
        verbosity_level=0,
        **more,
    )


boss = agent("boss", "main", managed_agents=[agent("scout", "subagent")])
with task("find"):
    boss.run("Find the lighthouse.")
