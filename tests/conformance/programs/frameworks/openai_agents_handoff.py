"""OpenAI Agents: the agent that a conversation is handed to makes its own calls."""

from agents import Agent, Runner
from agents.tracing import set_trace_processors

from agenttrace.conformance.door import configure, task

set_trace_processors([])  # its own would send the traces to its maker
configure()
expert = Agent("expert", model="gpt-5", instructions="[ask/expert/main] You know.")
desk = Agent("desk", model="gpt-5", instructions="[ask/desk/main] You ask.", handoffs=[expert])
with task("ask"):
    Runner.run_sync(desk, "Why is the sea salty?")
