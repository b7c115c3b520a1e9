"""The calls of a batch are counted once, when its results are read."""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic()
requests = [
    {
        "custom_id": f"line-{number}",
        "params": {
            "model": "claude-sonnet-5",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": f"[nightly/-/main] Question {number}?"}],
        },
    }
    for number in range(3)
]
with task("nightly"):
    batch = client.messages.batches.create(requests=requests)
    for _ in range(2):
        client.messages.batches.retrieve(batch.id)
    for _ in range(2):
        list(client.messages.batches.results(batch.id))
