"""What OpenAI reads from its prompt cache is part of the input, once."""

import openai

from agenttrace.conformance.door import configure, task

RULES = "[answer/-/main] " + "Answer in one sentence, and name where you know it from. " * 100

configure()
client = openai.OpenAI()
with task("answer"):
    for question in ("What is a fjord?", "What is a delta?"):
        client.chat.completions.create(
            model="gpt-5",
            messages=[
                {"role": "system", "content": RULES},
                {"role": "user", "content": question},
            ],
        )
