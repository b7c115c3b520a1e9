"""In a task whose answer nobody reads every call is hidden."""

import openai

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.OpenAI()
with task("nightly", headless=True), agent("sweeper"):
    for room in ("kitchen", "hall"):
        client.responses.create(model="gpt-5", input=f"[nightly/sweeper/main.] Sweep the {room}.")
