"""Speech that is made is a call whose tokens nobody says.

input: the response is sound and says no usage
output: the response is sound and says no usage
"""

import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("speak"):
    client.audio.speech.create(
        model="gpt-4o-mini-tts", voice="alloy", input="[speak/-/main!] Good evening."
    )
