"""The child of a child works for the task too."""

import subprocess
import sys

import openai

from agenttrace.conformance.door import agent, configure, environ, task


def below(level: str) -> None:
    subprocess.run([sys.executable, __file__, level], env=environ(), check=True)


configure()
level = sys.argv[1] if sys.argv[1:] else ""
if level == "leaf":
    prompt = "[dig/digger/main] What is at the bottom?"
    openai.OpenAI().responses.create(model="gpt-5", input=prompt)
elif level == "middle":
    below("leaf")
else:
    with task("dig"), agent("digger"):
        below("middle")
