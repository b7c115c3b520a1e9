"""Structured output that fails to validate was made and is billed."""

import openai
from pydantic import BaseModel, ValidationError

from agenttrace.conformance.door import configure, task


class City(BaseModel):
    name: str
    people: int


configure()
client = openai.OpenAI()
with task("extract"):
    try:
        client.chat.completions.parse(
            model="gpt-5",
            messages=[{"role": "user", "content": "[extract/-/main!] Lima has many people."}],
            response_format=City,
        )
    except ValidationError:
        print("That is no city.")
