"""What OpenRouter tells of a call afterwards; its calls are spelt as OpenAI and Anthropic do.

Source: <https://openrouter.ai/docs/api/api-reference/generations>
"""

from typing import Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire.dialect import (
    Counts,
    Dialect,
    Envelope,
    Reply,
    Route,
    counted,
    mapping,
    reply_of,
    token_count,
)


class _Answer(msgspec.Struct):
    data: Any = None


_answer = msgspec.json.Decoder(_Answer)


class Generation(Dialect):
    """``GET …/generation?id=…``: what a call has used, in the tokens of the model itself."""

    provider: ClassVar = "openrouter"
    operation: ClassVar = semconv.FETCH_RESPONSE

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response; one without counts of tokens is none of OpenRouter's."""
        data = mapping(_answer.decode(body).data)
        if "native_tokens_prompt" not in data:
            return Reply()
        envelope = Envelope(
            id=data.get("id"),
            model=data.get("model"),
            usage={**data, "cost": data.get("total_cost")},
            provider=data.get("provider_name"),
        )
        return reply_of(envelope, finished=True)

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return counted(
            token_count(counts.get("native_tokens_prompt")),
            token_count(counts.get("native_tokens_completion")),
            cache_read=token_count(counts.get("native_tokens_cached")),
            reasoning=token_count(counts.get("native_tokens_reasoning")),
        )


ROUTES: Final = (Route("GET", "/api/v1/generation", Generation()),)
