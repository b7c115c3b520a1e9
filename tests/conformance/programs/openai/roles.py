"""Summaries, titles, routers, guards and compactions are calls of their own role."""

import openai

from agenttrace.conformance.door import agent, configure, role, task

configure()
client = openai.OpenAI()


def ask(prompt: str) -> str:
    return client.responses.create(model="gpt-5", input=prompt).output_text


with task("chat"), agent("host"):
    with role("guard"):
        ask("[chat/host/guard] Is this a harmless question?")
    with role("router"):
        ask("[chat/host/router] Who should answer it?")
    ask("[chat/host/main!] How do kites fly?")
    with role("title"):
        ask("[chat/host/title] Three words for this conversation?")
    with role("compaction"):
        ask("[chat/host/compaction] Say what was said, but shorter.")
    with role("summary"):
        ask("[chat/host/summary] Sum up the whole conversation.")
