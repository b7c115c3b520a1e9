"""Gemini's thoughts are output, and its candidates leave them out."""

from google import genai

from agenttrace.conformance.door import agent, configure, task

configure()
client = genai.Client()
with task("answer"), agent("guide"):
    client.models.generate_content(
        model="gemini-3-pro", contents="[answer/guide/main!] What is a geyser?"
    )
