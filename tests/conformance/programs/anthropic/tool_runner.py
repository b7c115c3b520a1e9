"""Each round of the SDK's tool runner is a call."""

import anthropic
from anthropic import beta_tool

from agenttrace.conformance.door import agent, configure, task


@beta_tool
def pitch(instrument: str) -> str:
    """The lowest pitch of an instrument.

    Args:
        instrument: Its name.
    """
    return f"The {instrument} goes down to E1."


configure()
client = anthropic.Anthropic()
with task("answer"), agent("musician"):
    runner = client.beta.messages.tool_runner(
        model="claude-sonnet-5",
        max_tokens=200,
        tools=[pitch],
        system="[answer/musician/main!] You know instruments.",
        messages=[{"role": "user", "content": "How low is a bass?"}],
    )
    runner.until_done()
