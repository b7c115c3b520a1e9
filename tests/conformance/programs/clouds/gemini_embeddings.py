"""Embeddings of Gemini's are calls."""

from google import genai

from agenttrace.conformance.door import configure, task

configure()
client = genai.Client()
with task("index"):
    client.models.embed_content(
        model="gemini-embedding-001", contents=["[index/-/embedding] A page about steam."]
    )
