"""Each round of a tool loop is a call, and the last one is what a person reads."""

import openai

from agenttrace.conformance.door import agent, configure, task, tool

TEMPERATURE = {
    "type": "function",
    "function": {
        "name": "temperature",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}

configure()
client = openai.OpenAI()
messages = [{"role": "user", "content": "[weather/forecaster/main!] How warm is it in Lima?"}]
with task("weather"), agent("forecaster"):
    while True:
        reply = client.chat.completions.create(
            model="gpt-5", messages=messages, tools=[TEMPERATURE]
        )
        message = reply.choices[0].message
        messages.append(message)
        if not message.tool_calls:
            break
        for call in message.tool_calls:
            with tool("temperature"):
                result = {"role": "tool", "tool_call_id": call.id, "content": "21 degrees"}
                messages.append(result)
