"""OpenAI Agents: an agent that is another one's tool is a sub-agent, each turn is a call."""

from agents import Agent, Runner, function_tool
from agents.tracing import set_trace_processors

from agenttrace.conformance.door import configure, task


@function_tool
def shelf(title: str) -> str:
    """Say on which shelf a book is."""
    return "The third."


set_trace_processors([])  # its own would send the traces to its maker
configure()
finder = Agent(
    "finder", model="gpt-5", instructions="[lend/finder/subagent] You find.", tools=[shelf]
)
librarian = Agent(
    "librarian",
    model="gpt-5",
    instructions="[lend/librarian/main!] You lend.",
    tools=[finder.as_tool("find", "Find a book.")],
)
with task("lend"):
    Runner.run_sync(librarian, "A book on tides, please.")
