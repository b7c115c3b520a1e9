"""Structured output that does not fit its schema was made and is billed."""

from langchain_core.exceptions import OutputParserException
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, ValidationError

from agenttrace.conformance.door import configure, task


class Cloth(BaseModel):
    name: str
    threads: int


configure()
model = ChatOpenAI(model="gpt-5").with_structured_output(Cloth, method="json_schema")
with task("extract"):
    try:
        model.invoke("[extract/-/main!] Linen has many threads.")
    except (OutputParserException, ValidationError):
        print("That is no cloth.")
