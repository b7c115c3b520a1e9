"""One task across processes and threads.

``environ()`` is the environment of this process and what a child needs to join the task that is
under way. Threads and thread pools need nothing: they are carried along.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import openai

import agenttrace
from agenttrace.testing import ModelProvider


def ask(question: str) -> str:
    with openai.OpenAI() as client:
        return client.responses.create(model="gpt-5-mini", input=question).output_text


@agenttrace.task("a question, three ways")
def work(question: str) -> list[str]:
    # This file once more, as a child.
    command = [sys.executable, __file__, question]
    child = subprocess.run(
        command, env=agenttrace.environ(), stdout=subprocess.PIPE, text=True, check=True
    )
    with ThreadPoolExecutor() as pool:
        in_threads = list(pool.map(ask, [f"{question} Briefly.", f"{question} In French."]))
    return [child.stdout.strip(), *in_threads]


@agenttrace.agent("helper")
def help_out(question: str) -> str:
    return ask(question)


def main() -> None:
    agenttrace.configure()
    if sys.argv[1:]:
        print(help_out(sys.argv[1]))
        return
    # A provider on this machine plays the model, for the child too.
    with ModelProvider() as provider:
        os.environ.update(provider.env())
        print("\n".join(work("What is tea?")))


if __name__ == "__main__":
    main()
