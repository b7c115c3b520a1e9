"""A graph that waits for a person and goes on later counts each call once."""

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from agenttrace.conformance.door import configure, task

configure()
model = ChatOpenAI(model="gpt-5")


def draft(state: MessagesState):
    return {"messages": [model.invoke("[letter/clerk/main] Draft the letter.")]}


def approve(state: MessagesState):
    interrupt("Is it good?")
    return {"messages": [model.invoke("[letter/clerk/main!] Send the letter.")]}


graph = StateGraph(MessagesState)
graph.add_node("draft", draft)
graph.add_node("approve", approve)
graph.add_edge(START, "draft")
graph.add_edge("draft", "approve")
graph.add_edge("approve", END)
compiled = graph.compile(checkpointer=InMemorySaver(), name="clerk")
thread = {"configurable": {"thread_id": "letter 1"}}
with task("letter"):
    compiled.invoke({"messages": []}, config=thread)
    compiled.invoke(Command(resume="yes"), config=thread)
