"""Each round of an agent is a call of the agent, by the name it was given."""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import configure, task


@tool
def price(cloth: str) -> str:
    """The price of a cloth."""
    return f"{cloth} is 12 a metre."


configure()
seller = create_agent(ChatOpenAI(model="gpt-5"), tools=[price], name="seller")
with task("sell"):
    seller.invoke({"messages": [("user", "[sell/seller/main!] How much is the linen?")]})
