"""A local model behind Ollama is counted by what it says of itself."""

import ollama

from agenttrace.conformance.door import agent, configure, task

configure()
with task("answer"), agent("guide"):
    ollama.chat(
        model="llama4", messages=[{"role": "user", "content": "[answer/guide/main!] What is clay?"}]
    )
