"""Lines of JSON that Ollama streams say their counts in the last one."""

import ollama

from agenttrace.conformance.door import configure, task

configure()
with task("tell"):
    for part in ollama.chat(
        model="llama4",
        messages=[{"role": "user", "content": "[tell/-/main!] Tell me about sand."}],
        stream=True,
    ):
        print(part.message.content, end="")
