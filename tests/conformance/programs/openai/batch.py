"""The calls of a batch are counted once, however often it is asked for and fetched."""

import json

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
lines = [
    {
        "custom_id": f"line {number}",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "gpt-5",
            "messages": [{"role": "user", "content": f"[nightly/-/main] Question {number}?"}],
        },
    }
    for number in range(3)
]
with task("nightly"):
    content = "\n".join(map(json.dumps, lines)).encode()
    file = client.files.create(file=("lines.jsonl", content), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    for _ in range(3):
        batch = client.batches.retrieve(batch.id)
    for _ in range(2):
        client.files.content(batch.output_file_id)
