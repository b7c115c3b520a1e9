"""Nodes that run at once, each with a client of its own, are all counted."""

import operator
from typing import Annotated, TypedDict

import openai
from langgraph.graph import END, START, StateGraph

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()


class Notes(TypedDict):
    notes: Annotated[list[str], operator.add]


def node(name: str):
    def run(state: Notes) -> Notes:
        reply = client.responses.create(model="gpt-5", input=f"[survey/team/main] Look {name}.")
        return {"notes": [reply.output_text]}

    return run


graph = StateGraph(Notes)
for name in ("left", "right", "up"):
    graph.add_node(name, node(name))
    graph.add_edge(START, name)
    graph.add_edge(name, END)
with task("survey"):
    graph.compile(name="team").invoke({"notes": []})
