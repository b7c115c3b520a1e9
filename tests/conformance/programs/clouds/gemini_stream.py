"""A streamed answer of Gemini's says its usage on the way; the last one counts."""

from google import genai

from agenttrace.conformance.door import configure, task

configure()
client = genai.Client()
with task("tell"):
    for chunk in client.models.generate_content_stream(
        model="gemini-3-pro", contents="[tell/-/main!] Tell me about hot springs."
    ):
        print(chunk.text, end="")
