"""An agent that is another one's tool is a sub-agent; a model that a tool calls is the tool's."""

import openai
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import configure, task

configure()
model = ChatOpenAI(model="gpt-5")


@tool
def measure(what: str) -> str:
    """Measure something."""
    prompt = "[sew/cutter/tool] How long is a sleeve?"
    return openai.OpenAI().responses.create(model="gpt-5", input=prompt).output_text


cutter = create_agent(
    model, tools=[measure], name="cutter", system_prompt="[sew/cutter/subagent] You cut."
)


@tool
def cut(what: str) -> str:
    """Have something cut."""
    return cutter.invoke({"messages": [("user", what)]})["messages"][-1].text


tailor = create_agent(
    model, tools=[cut], name="tailor", system_prompt="[sew/tailor/main!] You sew."
)
with task("sew"):
    tailor.invoke({"messages": [("user", "Sew me a shirt.")]})
