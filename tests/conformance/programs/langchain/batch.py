"""Each item of a batch is a call of the task around it."""

from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import agent, configure, task

configure()
model = ChatOpenAI(model="gpt-5")
with task("sort"), agent("sorter"):
    model.batch([f"[sort/sorter/main] Where does thread {number} go?" for number in range(4)])
