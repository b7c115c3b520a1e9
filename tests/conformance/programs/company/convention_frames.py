"""Spans of the GenAI conventions that the program makes itself are its agents and tools."""

import openai
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from agenttrace.conformance.door import configure, task

trace.set_tracer_provider(TracerProvider())
configure()
client = openai.OpenAI()
tracer = trace.get_tracer("my-agents")
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "porter"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lift"}
with task("carry"), tracer.start_as_current_span("invoke_agent porter", attributes=AGENT):
    client.responses.create(model="gpt-5", input="[carry/porter/main!] Which floor?")
    with tracer.start_as_current_span("execute_tool lift", attributes=TOOL):
        client.responses.create(model="gpt-5", input="[carry/porter/tool] Up or down?")
