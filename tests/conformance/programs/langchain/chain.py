"""A chain of a prompt, a model and a parser is one call."""

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import configure, task

configure()
prompt = ChatPromptTemplate.from_messages([("user", "[answer/-/main!] What is a {thing}?")])
chain = prompt | ChatOpenAI(model="gpt-5") | StrOutputParser()
with task("answer"):
    print(chain.invoke({"thing": "loom"}))
