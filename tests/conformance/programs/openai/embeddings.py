"""An embedding is a call with the role embedding and without output."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("index"):
    client.embeddings.create(
        model="text-embedding-3-small",
        input=["[index/-/embedding] A page about herons.", "And one about storks."],
    )
