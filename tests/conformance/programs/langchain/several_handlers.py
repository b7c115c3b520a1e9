"""LangChain's own usage callback, and a handler of the program's, change nothing in the count."""

from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import configure, task

configure()
usage = UsageMetadataCallbackHandler()
model = ChatOpenAI(model="gpt-5", callbacks=[BaseCallbackHandler(), usage])
with task("answer"):
    model.invoke("[answer/-/main!] What is a bobbin?", config={"callbacks": [usage]})
