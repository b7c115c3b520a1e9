"""Google's ADK: an agent that is another one's tool is a sub-agent."""

import asyncio

from google.adk.agents import LlmAgent
from google.adk.models.anthropic_llm import AnthropicLlm
from google.adk.runners import InMemoryRunner
from google.adk.tools import AgentTool
from google.genai import types

from agenttrace.conformance.door import configure, task

configure()


def agent(name: str, role: str, **more: object) -> LlmAgent:
    return LlmAgent(
        name=name,
        description=name,
        model=AnthropicLlm(model="claude-sonnet-5"),
        instruction=f"[sail/{name}/{role}] You are {name}.",
        **more,
    )


async def main() -> None:
    captain = agent("captain", "main", tools=[AgentTool(agent("pilot", "subagent"))])
    runner = InMemoryRunner(agent=captain, app_name="ship")
    session = await runner.session_service.create_session(app_name="ship", user_id="crew")
    message = types.Content(role="user", parts=[types.Part(text="Which course?")])
    with task("sail"):
        async for _ in runner.run_async(user_id="crew", session_id=session.id, new_message=message):
            pass


asyncio.run(main())
