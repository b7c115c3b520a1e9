"""What a message of a Claude Code transcript says of calls.

Anthropic's counts: the input excludes what the cache held and what was written to it. The iterations
that a message lists as advice or compaction are calls of their own, which its counts leave out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from agenttrace.model import Role, TokenUsage
from agenttrace.sources.agents.claude_code_records import (
    SYNTHETIC,
    Line,
    Message,
    mapping,
    text,
)
from agenttrace.sources.told import Call, Total
from agenttrace.sources.usage import beside, count

NAME: Final = "claude-code"

_GEO: Final = re.compile(r"[a-z][a-z0-9-]{1,30}").fullmatch
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,40}").fullmatch
# What the provider asked on its own, by the type of the iteration; not in the message's counts.
_ROLE_OF: Final[dict[str, Role]] = {"compaction": "compaction", "advisor_message": "other"}
# Who serves a model, by how the ids of its responses begin.
_PROVIDER_OF: Final = (("msg_bdrk_", "aws.bedrock"), ("msg_vrtx_", "gcp.vertex_ai"))


class Place(NamedTuple):
    """Where calls belong.

    Attributes:
        session: The conversation.
        turn: The turn of it.
        role: What they are for.
        agent: Name of the agent that makes them.
        agent_key: Its key.
        depth: Agents around them.
        is_copy: Another file or line has them first hand.
    """

    session: str
    turn: str
    role: Role = "main"
    agent: str | None = None
    agent_key: str | None = None
    depth: int = 1
    is_copy: bool = False


def calls(
    line: Line, message: Message, request_id: str | None, at_ns: int, place: Place
) -> Iterator[Call]:
    """Yield the call that *message* is the answer of, and those that the provider made for it.

    Args:
        line: The record that it is in.
        message: What was answered.
        request_id: The provider's id of the request.
        at_ns: When it was logged.
        place: Where it belongs.
    """
    said: Mapping[str, Any] = mapping(message.usage)
    model = text(message.model)
    if model == SYNTHETIC or not (said or model):
        return
    response_id = text(message.id)
    key = response_id or request_id or text(line.uuid)
    if key is None:
        return
    usage = _usage(said)
    is_error = line.isApiErrorMessage is True
    is_complete = message.stop_reason is not None
    yield Call(
        source=NAME,
        session=place.session,
        turn=place.turn,
        key=key,
        start_ns=at_ns,
        end_ns=at_ns,
        model=model,
        provider=_provider(response_id, model),
        response_id=response_id,
        request_id=request_id,
        role=place.role,
        agent=place.agent,
        agent_key=place.agent_key,
        depth=place.depth,
        usage=usage,
        region=_region(said),
        cost_usd=_cost(line.costUSD),
        outcome="complete" if is_complete else "incomplete",
        error_type=_code(line.error) if is_error else None,
        worth=_worth(usage, is_complete=is_complete, is_copy=place.is_copy),
    )
    if said.get("iterations"):
        yield from _asked_by_provider(said, key, model, at_ns, place)


def totals(line: Line, session: str, at_ns: int) -> Iterator[Total]:
    """Yield what a record says that all calls of a session have used so far, by model."""
    for model, said in mapping(line.modelUsage).items():
        used = mapping(said)
        yield Total(
            source=NAME,
            session=session,
            at_ns=at_ns,
            model=model,
            usage=beside(
                used.get("inputTokens"),
                used.get("outputTokens"),
                cache_read=used.get("cacheReadInputTokens"),
                cache_write=used.get("cacheCreationInputTokens"),
                reasoning=used.get("thinkingTokens"),
            ),
            cost_usd=_cost(used.get("costUSD")),
        )


def _usage(said: Mapping[str, Any]) -> TokenUsage:
    split = mapping(said.get("cache_creation"))
    hour = count(split.get("ephemeral_1h_input_tokens"))
    written = said.get("cache_creation_input_tokens")
    if count(written) is None and hour is not None:
        written = hour + (count(split.get("ephemeral_5m_input_tokens")) or 0)
    return beside(
        said.get("input_tokens"),
        said.get("output_tokens"),
        cache_read=said.get("cache_read_input_tokens"),
        cache_write=written,
        cache_write_1h=hour,
        reasoning=mapping(said.get("output_tokens_details")).get("thinking_tokens"),
    )


def _worth(usage: TokenUsage, *, is_complete: bool, is_copy: bool) -> int:
    """Rank what several lines say of one call: most output, then an end, then first hand."""
    return (usage.output_tokens or 0) * 4 + 2 * is_complete + (not is_copy)


def _asked_by_provider(
    said: Mapping[str, Any], key: str, model: str | None, at_ns: int, place: Place
) -> Iterator[Call]:
    """Yield the calls that the provider made on its own, known by their place in the message."""
    listed = said.get("iterations")
    iterations = [mapping(one) for one in listed] if isinstance(listed, list) else []
    told = _total([said])
    if told == _total(iterations):
        return  # The counts of the message are the sum of all.
    served = [one for one in iterations if one.get("type") == "fallback_message"]
    # Where another model took over, the counts may be those of that one alone.
    kinds = {*_ROLE_OF, "message"} if served and told == _total(served) else {*_ROLE_OF}
    for number, one in enumerate(iterations):
        kind = str(one.get("type"))
        if kind not in kinds:
            continue
        usage, answered = _usage(one), text(one.get("model")) or model
        yield Call(
            source=NAME,
            session=place.session,
            turn=place.turn,
            key=f"{key}:{number}",
            start_ns=at_ns,
            end_ns=at_ns,
            model=answered,
            provider=_provider(key, answered),
            response_id=f"{key}:{number}",
            role=_ROLE_OF.get(kind, "other"),
            agent=place.agent,
            agent_key=place.agent_key,
            depth=place.depth,
            usage=usage,
            region=_region(said),
            outcome="complete",
            worth=_worth(usage, is_complete=True, is_copy=place.is_copy),
        )


def _total(counts: Sequence[Mapping[str, Any]]) -> int:
    names = (
        "input_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "output_tokens",
    )
    return sum(count(one.get(name)) or 0 for one in counts for name in names)


def _provider(response_id: str | None, model: str | None) -> str | None:
    for prefix, provider in _PROVIDER_OF:
        if response_id and response_id.startswith(prefix):
            return provider
    # Claude Code is also used with models of others, and then nothing says who serves them.
    return "anthropic" if model and model.startswith("claude") else None


def _region(said: Mapping[str, Any]) -> str | None:
    """Return where the model ran: ``us``, or ``global`` for anywhere; None if it does not say."""
    geo = said.get("inference_geo")
    return geo if isinstance(geo, str) and _GEO(geo) else None


def _cost(said: object) -> float | None:
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    return float(said) if is_number and 0 <= said < _DOLLARS_AT_MOST else None


_DOLLARS_AT_MOST: Final = 1e9


def _code(said: object) -> str:
    """Return the code of an error, never its text."""
    return said if isinstance(said, str) and _CODE(said) else "api_error"
