"""A child process that is given the task's environment works for the task."""

import subprocess
import sys

import openai

from agenttrace.conformance.door import agent, configure, environ, task


def ask(prompt: str) -> None:
    openai.OpenAI().responses.create(model="gpt-5", input=prompt)


configure()
if sys.argv[1:]:
    with agent("checker"):
        ask("[report/checker/subagent] Is the report right?")
else:
    with task("report"), agent("writer"):
        ask("[report/writer/main!] Write the report.")
        subprocess.run([sys.executable, __file__, "child"], env=environ(), check=True)
