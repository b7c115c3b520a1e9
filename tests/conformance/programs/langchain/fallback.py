"""A model that fails and the one that stands in for it are two attempts, one of them billed."""

from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import configure, task

configure()
first = ChatOpenAI(model="gpt-5", max_retries=0)
model = first.with_fallbacks([ChatAnthropic(model="claude-sonnet-5")])
with task("answer"):
    model.invoke("[answer/-/main!] What is a distaff?")
