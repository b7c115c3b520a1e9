"""An SDK that tries again below LangChain makes a call that says it is a retry.

input: no response says what the attempt that failed was billed
output: no response says what the attempt that failed was billed
"""

from langchain_openai import ChatOpenAI

from agenttrace.conformance.door import configure, task

configure()
model = ChatOpenAI(model="gpt-5", max_retries=2)
with task("answer"):
    model.invoke("[answer/-/main!] What is a shuttle?")
