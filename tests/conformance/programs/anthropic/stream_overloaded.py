"""A stream that ends in an error event is billed for what it had said.

output: the provider says it at the end, which never came
"""

import anthropic

from agenttrace.conformance.door import configure, task

configure()
client = anthropic.Anthropic(max_retries=0)
with task("tell"):
    try:
        with client.messages.stream(
            model="claude-sonnet-5",
            max_tokens=400,
            messages=[{"role": "user", "content": "[tell/-/main] Tell me everything about horns."}],
        ) as stream:
            stream.until_done()
    except anthropic.APIError as error:
        print(type(error).__name__)
