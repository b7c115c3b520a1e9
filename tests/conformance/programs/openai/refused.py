"""A request that is refused for good is in no bill."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("answer"):
    for prompt in ("[answer/-/main] Is the key good?", "[answer/-/main!] And now?"):
        try:
            client.responses.create(model="gpt-5", input=prompt)
        except openai.AuthenticationError:
            print("The key was refused.")
