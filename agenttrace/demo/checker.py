"""The fact checker of the demo: a process of its own, started by a tool of the writer."""

import sys

import openai

import agenttrace
from agenttrace.demo import texts

MODEL = "gpt-5-mini"


def check(client: openai.OpenAI, claim: str) -> str:
    """Return what the model says of *claim*."""
    asked = f"{claim}\n\n{texts.HANDBOOK}"
    with client.responses.stream(model=MODEL, instructions=texts.CHECKER, input=asked) as stream:
        return stream.get_final_response().output_text


def main() -> None:
    """Check each claim of the command line."""
    agenttrace.configure(service_name="agenttrace-demo-checker")
    with agenttrace.agent("fact checker"), openai.OpenAI() as client:
        for claim in sys.argv[1:]:
            sys.stdout.write(f"{check(client, claim)}\n")


if __name__ == "__main__":
    main()
