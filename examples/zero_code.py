"""A program that does not know of agenttrace, with a child process and threads.

    agenttrace run -- python examples/zero_code.py

records all of its calls as one task. Only the two lines that start a provider on this machine are
ours; they play the model.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import openai

from agenttrace.testing import ModelProvider


def ask(question: str) -> str:
    with openai.OpenAI() as client:
        return client.responses.create(model="gpt-5-mini", input=question).output_text


def work(question: str) -> list[str]:
    command = [sys.executable, __file__, question]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    with ThreadPoolExecutor() as pool:
        in_threads = list(pool.map(ask, [f"{question} Briefly.", f"{question} In French."]))
    return [child.stdout.strip(), *in_threads]


def main() -> None:
    if sys.argv[1:]:
        print(ask(sys.argv[1]))
        return
    with ModelProvider() as provider:
        os.environ.update(provider.env())
        print("\n".join(work("What is tea?")))


if __name__ == "__main__":
    main()
