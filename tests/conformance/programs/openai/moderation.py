"""A moderation is a call whose tokens nobody says.

input: OpenAI says no usage of moderations
"""

import openai

from agenttrace.conformance.door import configure, role, task

configure()
client = openai.OpenAI()
with task("check"), role("guard"):
    client.moderations.create(input="[check/-/guard] Is this sentence harmless?")
