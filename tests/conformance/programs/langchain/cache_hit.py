"""An answer from LangChain's own cache is no call."""

from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import configure, task

configure()
set_llm_cache(InMemoryCache())
model = ChatOpenAI(model="gpt-5")
with task("answer"):
    for _ in range(3):
        model.invoke("[answer/-/main!] What is a spindle?")
