"""Pydantic AI: an agent in another one's tool is a sub-agent, each step is a call."""

from pydantic_ai import Agent

from agenttrace.conformance.door import configure, task

configure()
researcher = Agent(
    "anthropic:claude-sonnet-5",
    name="researcher",
    system_prompt="[brief/researcher/subagent] You look up.",
)
editor = Agent("openai-chat:gpt-5", name="editor", system_prompt="[brief/editor/main!] You write.")


@editor.tool_plain
async def research(question: str) -> str:
    """Look something up."""
    return (await researcher.run(question)).output


with task("brief"):
    editor.run_sync("What are tides?")
