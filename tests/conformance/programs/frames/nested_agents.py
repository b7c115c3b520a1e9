"""An agent inside an agent is a sub-agent, and a call in a tool is the tool's."""

import openai

from agenttrace.conformance.door import agent, configure, task, tool

configure()
client = openai.OpenAI()


def ask(prompt: str) -> None:
    client.responses.create(model="gpt-5", input=prompt)


with task("brief"), agent("editor"):
    ask("[brief/editor/main] What is to be found out?")
    with agent("researcher"):
        ask("[brief/researcher/subagent] Where is it written?")
        with tool("library"):
            ask("[brief/researcher/tool] Which of these pages matters?")
    ask("[brief/editor/main!] Write it.")
