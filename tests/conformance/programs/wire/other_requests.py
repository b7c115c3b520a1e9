"""Requests that are no model calls are left alone: lists of models, pages, other services."""

import os

import httpx
import openai

from agenttrace.conformance.door import configure, task

configure()
client = openai.OpenAI()
with task("answer"):
    print([model.id for model in client.models.list()])
    httpx.get(f"{os.environ['OPENAI_BASE_URL']}/weather")
    httpx.post(f"{os.environ['OPENAI_BASE_URL']}/forum/messages", json={"text": "hello"})
    client.responses.create(model="gpt-5", input="[answer/-/main!] What is a buoy?")
