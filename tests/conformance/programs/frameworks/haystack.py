"""Haystack: an agent in a pipeline makes the calls of its turns."""

import os

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage

from agenttrace.conformance.door import configure, task

configure()
generator = OpenAIChatGenerator(model="gpt-4o", api_base_url=os.environ["OPENAI_BASE_URL"])
pipeline = Pipeline()
pipeline.add_component(
    "writer", Agent(chat_generator=generator, system_prompt="[note/writer/main!] You write.")
)
with task("note"):
    pipeline.run({"writer": {"messages": [ChatMessage.from_user("A line, please.")]}})
