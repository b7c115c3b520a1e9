"""An agent whose messages are streamed is counted like one that is not."""

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic

from agenttrace.conformance.door import configure, task

configure()
weaver = create_agent(
    ChatAnthropic(model="claude-sonnet-5"),
    tools=[],
    name="weaver",
    system_prompt="[weave/weaver/main!] You weave.",
)
with task("weave"):
    for _ in weaver.stream({"messages": [("user", "Weave.")]}, stream_mode="messages"):
        pass
