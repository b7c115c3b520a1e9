"""A graph with a memory is called twice in one conversation: two tasks, and a longer prompt."""

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

from agenttrace.conformance.door import configure, task

configure()
model = ChatOpenAI(model="gpt-5")
graph = StateGraph(MessagesState)
graph.add_node("talk", lambda state: {"messages": [model.invoke(state["messages"])]})
graph.add_edge(START, "talk")
graph.add_edge("talk", END)
compiled = graph.compile(checkpointer=InMemorySaver(), name="host")
thread = {"configurable": {"thread_id": "chat 7"}}
for turn in (1, 2):
    with task("turn"):
        prompt = f"[turn#{turn}/host/main!] This is turn {turn}."
        compiled.invoke({"messages": [("user", prompt)]}, config=thread)
