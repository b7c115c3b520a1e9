"""A streamed chat model is one call, with the usage that LangChain asks for."""

from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import configure, task

configure()
model = ChatOpenAI(model="gpt-5", stream_usage=True)
with task("tell"):
    for chunk in model.stream("[tell/-/main!] Tell me about spinning wheels."):
        print(chunk.text, end="")
