"""A transcription is a call, with the tokens that the provider says."""

import io

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
sound = io.BytesIO(b"RIFF" + bytes(400))
sound.name = "note.wav"
with task("listen"):
    client.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=sound, prompt="[listen/-/main!] A spoken note."
    )
