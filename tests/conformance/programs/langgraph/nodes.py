"""Models in the nodes of a graph are the graph's; a subgraph is a sub-agent."""

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph

from agenttrace.conformance.door import configure, task

configure()
model = ChatOpenAI(model="gpt-5")


def ask(prompt: str):
    return lambda state: {"messages": [model.invoke(prompt)]}


inner = StateGraph(MessagesState)
inner.add_node("read", ask("[brief/reader/subagent] What does it say?"))
inner.add_edge(START, "read")
inner.add_edge("read", END)

outer = StateGraph(MessagesState)
outer.add_node("plan", ask("[brief/editor/main] What comes first?"))
outer.add_node("reading", inner.compile(name="reader"))
outer.add_node("write", ask("[brief/editor/main!] Write it."))
outer.add_edge(START, "plan")
outer.add_edge("plan", "reading")
outer.add_edge("reading", "write")
outer.add_edge("write", END)
with task("brief"):
    outer.compile(name="editor").invoke({"messages": []})
