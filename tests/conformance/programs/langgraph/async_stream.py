"""A graph that is streamed asynchronously is not around what its consumer asks."""

import asyncio

import openai
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph

from agenttrace.conformance.door import configure, task

model = ChatOpenAI(model="gpt-5")


async def talk(state: MessagesState):
    return {"messages": [await model.ainvoke("[show/actor/main] Say your line.")]}


async def main() -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("talk", talk)
    graph.add_node("talk again", talk)
    graph.add_edge(START, "talk")
    graph.add_edge("talk", "talk again")
    graph.add_edge("talk again", END)
    compiled = graph.compile(name="actor")
    async with openai.AsyncOpenAI() as client:
        with task("show"):
            async for _ in compiled.astream({"messages": []}, stream_mode="updates"):
                await client.responses.create(
                    model="gpt-5", input="[show/-/main] Was that any good?"
                )


configure()
asyncio.run(main())
