"""Two agents: an editor, and a researcher who is one of the editor's tools.

``instrument`` adds the callback handler to every run of the process, so that agents, tools and
model calls have their names, and nothing in the agents is changed for it.
"""

# LangGraph leaves parts of its types open.
# pyright: basic

import os
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

import agenttrace
from agenttrace.testing import ModelProvider, Reply, ToolCall


@tool
def look_up(word: str) -> str:
    """Look a word up."""
    return f"{word}: an evergreen shrub of the family Theaceae"


def editor() -> Any:
    researcher = create_agent(
        ChatOpenAI(model="gpt-5-mini"),
        [look_up],
        system_prompt="You are the researcher.",
        name="researcher",
    )

    @tool
    def research(question: str) -> str:
        """Ask the researcher."""
        state = researcher.invoke({"messages": [HumanMessage(question)]})
        return state["messages"][-1].text

    return create_agent(
        ChatOpenAI(model="gpt-5"),
        [research],
        system_prompt="You are the editor.",
        name="editor",
    )


@agenttrace.task("write a sentence")
def write(topic: str) -> str:
    state = editor().invoke({"messages": [HumanMessage(f"Write a sentence about {topic}.")]})
    return state["messages"][-1].text


def main() -> None:
    agenttrace.configure()
    agenttrace.instrument("langchain")
    # A provider on this machine plays both models: each agent has a script of its own.
    with ModelProvider() as provider:
        os.environ.update(provider.env())
        provider.script(
            Reply(tool_calls=[ToolCall("research", {"question": "What is tea?"})]),
            "Tea comes from an evergreen shrub.",
            when=lambda request: request.system == "You are the editor.",
        )
        provider.script(
            Reply(tool_calls=[ToolCall("look_up", {"word": "Camellia sinensis"})]),
            "An evergreen shrub.",
            when=lambda request: request.system == "You are the researcher.",
        )
        print(write("tea"))


if __name__ == "__main__":
    main()
