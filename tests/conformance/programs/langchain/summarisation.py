"""What LangChain's middleware sums up behind an agent's back is a call with the role summary."""

from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import configure, task

configure()
model = ChatOpenAI(model="gpt-5")
host = create_agent(
    model,
    tools=[],
    name="host",
    system_prompt="[chat/host/main!] You are kind.",
    middleware=[
        SummarizationMiddleware(
            model,
            trigger=("messages", 4),
            keep=("messages", 2),
            summary_prompt="[chat/host/summary] Sum up: {messages}",
        )
    ],
)
turns = [("user", "Hello."), ("assistant", "Good day."), ("user", "Rain?"), ("assistant", "No.")]
with task("chat"):
    host.invoke({"messages": [*turns, ("user", "Then let us go.")]})
