"""A local model provider to test agents with: real protocols, scripted replies, a ledger.

It answers the requests of the providers' SDKs (and of everything built on them) on 127.0.0.1, and
writes down what it billed for each attempt, so that a test can ask what an agent did and what it
cost::

    from agenttrace.testing import Failure, ModelProvider, Reply, ToolCall

    with ModelProvider() as provider:
        client = openai.OpenAI(base_url=provider.openai_base_url, api_key="test")
        provider.script(Failure(429), Reply(tool_calls=[ToolCall("search", {"q": "x"})]), "Found.")
        run_my_agent(client)
        assert [billed.output_tokens for billed in provider.ledger] == [4, 2]

``python -m agenttrace.testing --port 8080`` serves it alone, for programs in any language.
This package needs nothing but the standard library, and nothing of agenttrace needs it; but for
``agenttrace.testing.history``, which writes a past to report on.
``docs/testing.md`` is its guide.
"""

from agenttrace.testing.provider import ModelProvider
from agenttrace.testing.script import Playable, echo
from agenttrace.testing.tokens import count_tokens
from agenttrace.testing.values import (
    Billed,
    Failure,
    Inner,
    Message,
    Reply,
    Request,
    Tokens,
    ToolCall,
)

__all__ = [
    "Billed",
    "Failure",
    "Inner",
    "Message",
    "ModelProvider",
    "Playable",
    "Reply",
    "Request",
    "Tokens",
    "ToolCall",
    "count_tokens",
    "echo",
]
