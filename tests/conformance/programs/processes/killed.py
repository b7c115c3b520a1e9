"""What a process had finished before ``kill -9`` is there."""

import os
import signal
import subprocess
import sys

import openai

from agenttrace.conformance.door import agent, configure, environ, task

configure()
if sys.argv[1:]:
    client = openai.OpenAI()
    with task("work"), agent("worker"):
        client.responses.create(model="gpt-5", input="[work/worker/main] What is to be done?")
        os.kill(os.getpid(), signal.SIGKILL)
else:
    child = subprocess.run([sys.executable, __file__, "child"], env=environ(), check=False)
    assert child.returncode == -signal.SIGKILL
