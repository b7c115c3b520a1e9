"""LiteLLM: a call, a stream, a fallback and an answer from its cache are counted as they are."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from litellm.caching.caching import Cache

from agenttrace.conformance.door import agent, configure, task

configure()
os.environ["OPENAI_API_BASE"] = os.environ["OPENAI_BASE_URL"]
litellm.cache = Cache(type="local")


def ask(prompt: str, **more: object):
    messages = [{"role": "user", "content": prompt}]
    return litellm.completion("openai/gpt-5", messages=messages, num_retries=0, **more)


with task("answer"), agent("guide"):
    ask("[answer/guide/main] What is a cliff?", caching=True)
    ask("[answer/guide/main] What is a cliff?", caching=True)
    for _ in ask(
        "[answer/guide/main] What is a cove?", stream=True, stream_options={"include_usage": True}
    ):
        pass
