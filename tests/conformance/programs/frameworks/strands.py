"""Strands: an agent in another one's tool is a sub-agent, each turn is a call."""

import os

from strands import Agent, tool
from strands.models.openai import OpenAIModel

from agenttrace.conformance.door import configure, task

configure()


def agent(name: str, role: str, **more: object) -> Agent:
    model = OpenAIModel(
        client_args={"base_url": os.environ["OPENAI_BASE_URL"], "api_key": "test"},
        model_id="gpt-4o",
    )
    prompt = f"[cook/{name}/{role}] You are {name}."
    return Agent(model=model, name=name, system_prompt=prompt, callback_handler=None, **more)


@tool
def taste(dish: str) -> str:
    """Have something tasted."""
    return str(agent("taster", "subagent")(dish))


with task("cook"):
    agent("chef", "main", tools=[taste])("Is the soup good?")
