"""Asking for the raw response changes nothing in the count, and the response is untouched."""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("answer"):
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-5",
        messages=[{"role": "user", "content": "[answer/-/main!] How long is a mile?"}],
    )
assert raw.headers["x-request-id"]
assert raw.parse().usage is not None
