"""A plain loop around the OpenAI SDK: ask, do what the model wants, ask again.

``configure()`` sees every call of a model; the decorators say what the calls are for.
"""

import json
import os
from typing import Any

import openai

import agenttrace
from agenttrace.testing import ModelProvider, Reply, ToolCall

TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "temperature",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


@agenttrace.tool
def temperature(city: str) -> str:
    return f"It is 21 degrees in {city}."


@agenttrace.task
def advise(question: str) -> str:
    messages: Any = [{"role": "user", "content": question}]
    with openai.OpenAI() as client:
        while True:
            reply = client.chat.completions.create(model="gpt-5", messages=messages, tools=TOOLS)
            message: Any = reply.choices[0].message
            if not message.tool_calls:
                return message.content
            messages.append(message)
            for call in message.tool_calls:
                result = temperature(**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def main() -> None:
    agenttrace.configure()
    # A provider on this machine plays the model.
    with ModelProvider() as provider:
        os.environ.update(provider.env())
        provider.script(
            Reply(tool_calls=[ToolCall("temperature", {"city": "Lima"})]),
            "Take a light jacket.",
        )
        print(advise("What shall I wear in Lima?"))


if __name__ == "__main__":
    main()
