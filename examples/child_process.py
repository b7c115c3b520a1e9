"""One task across processes and threads.

Neither needs anything: what a task starts belongs to it. The child below is this file once more; a
program that does not know of agenttrace would be recorded as well.
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
    command = [sys.executable, __file__, question]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    with ThreadPoolExecutor() as pool:
        in_threads = list(pool.map(ask, [f"{question} Briefly.", f"{question} In French."]))
    return [child.stdout.strip(), *in_threads]


@agenttrace.agent("helper")
def help_out(question: str) -> str:
    return ask(question)


def main() -> None:
    if sys.argv[1:]:
        print(help_out(sys.argv[1]))
        return
    agenttrace.configure()
    # A provider on this machine plays the model, for the child too.
    with ModelProvider() as provider:
        os.environ.update(provider.env())
        print("\n".join(work("What is tea?")))


if __name__ == "__main__":
    main()
