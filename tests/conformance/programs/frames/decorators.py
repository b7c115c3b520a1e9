"""The same frames as decorators, on functions and coroutines."""

import asyncio

import openai

from agenttrace.conformance.door import agent, configure, task, tool

configure()
client = openai.OpenAI()
asynchronous = openai.AsyncOpenAI()


@tool("look up")
def look_up() -> None:
    client.responses.create(model="gpt-5", input="[answer/reader/tool] Which shelf?")


@agent("reader")
def read() -> None:
    client.responses.create(model="gpt-5", input="[answer/reader/main] Which book?")
    look_up()


@agent("writer")
async def write() -> None:
    await asynchronous.responses.create(model="gpt-5", input="[answer/writer/main!] Which words?")


@task("answer")
async def answer() -> None:
    read()
    await write()


configure()
asyncio.run(answer())
