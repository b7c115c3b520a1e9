"""An agent that fails ends; what its caller does next is not its."""

import contextlib

import openai

from agenttrace.conformance.door import agent, configure, task

configure()
client = openai.OpenAI()
with task("try"), agent("boss"):
    with contextlib.suppress(ValueError), agent("helper"):
        client.responses.create(model="gpt-5", input="[try/helper/subagent] Can you do it?")
        raise ValueError
    client.responses.create(model="gpt-5", input="[try/boss/main!] Then I do it myself. How?")
