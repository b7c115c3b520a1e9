"""One task may ask two providers; each call is its own."""

import anthropic
import openai

from agenttrace.conformance.door import agent, configure, task

configure()
with task("debate"):
    with agent("pro"):
        openai.OpenAI().responses.create(
            model="gpt-5", input="[debate/pro/main] Argue that tea is better than coffee."
        )
    with agent("contra"):
        anthropic.Anthropic().messages.create(
            model="claude-sonnet-5",
            max_tokens=200,
            messages=[{"role": "user", "content": "[debate/contra/main] Argue the opposite."}],
        )
