"""What was recorded, read from Python: rows of the ready-made queries, or of any SQL.

``read()`` shows everything up to the last call, also while other processes go on recording.
"""

import os

import openai

import agenttrace
from agenttrace.testing import ModelProvider

CALLS_OF_A_TASK = """
    SELECT model, role, hidden, usage, input_tokens, output_tokens
    FROM model_call
    WHERE task_name = ?
    ORDER BY started_at
"""


@agenttrace.task("two questions")
def work() -> None:
    with openai.OpenAI() as client:
        client.responses.create(model="gpt-5-mini", input="What is tea?")
        # Tokens that the provider does not report are estimated, and marked.
        for _ in client.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": "And coffee?"}], stream=True
        ):
            pass


def main() -> None:
    agenttrace.configure()
    # A provider on this machine plays the model.
    with ModelProvider() as provider:
        os.environ.update(provider.env())
        work()

    with agenttrace.read() as reader:
        for task in reader.query("task_energy"):
            print(task)
        for call in reader.query(CALLS_OF_A_TASK, ["two questions"]):
            print(call)


if __name__ == "__main__":
    main()
