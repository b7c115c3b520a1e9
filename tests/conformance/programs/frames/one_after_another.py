"""Three runs of one task are three tasks, also in one conversation."""

import openai

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.OpenAI()
for turn in (1, 2, 3):
    with task("turn", session="chat 7"), agent("host"):
        client.responses.create(model="gpt-5", input=f"[turn#{turn}/host/main!] Turn {turn}?")
