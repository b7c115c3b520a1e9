"""A picture in a prompt is input as the provider bills it."""

import openai

from agenttrace.conformance.door import configure, task

PICTURE = "data:image/png;base64," + "iVBORw0KGgo" * 200

configure()
client = openai.OpenAI()
with task("look"):
    client.chat.completions.create(
        model="gpt-5",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "[look/-/main!] What is this?"},
                    {"type": "image_url", "image_url": {"url": PICTURE}},
                ],
            }
        ],
    )
