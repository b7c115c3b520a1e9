"""Where one model fails, the call of the next one has the role that the program gives it."""

import openai

from agenttrace.conformance.door import configure, role, task

configure()
client = openai.OpenAI(max_retries=0)
with task("answer"):
    try:
        client.responses.create(model="gpt-5", input="[answer/-/main] What is a comet?")
    except openai.InternalServerError:
        with role("fallback"):
            client.responses.create(
                model="gpt-5-mini", input="[answer/-/fallback] What is a comet?"
            )
