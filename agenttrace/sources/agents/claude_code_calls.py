"""What a message of a Claude Code transcript says of calls.

Anthropic's counts: the input excludes what the cache held and what was written to it. What a
message lists as iterations of advice or compaction are calls of their own, which its counts leave
out.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from agenttrace.model import Role, TokenUsage
from agenttrace.sources.agents.claude_code_records import (
    SYNTHETIC,
    Counts,
    Line,
    Message,
    ModelUsage,
    Usage,
)
from agenttrace.sources.told import Call, Total
from agenttrace.sources.usage import beside

NAME: Final = "claude-code"

_GEO: Final = re.compile(r"[a-z][a-z0-9-]{1,30}").fullmatch
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,40}").fullmatch
# What the provider asked on its own, by the type of the iteration; not in the message's counts.
_ROLE_OF: Final[dict[str, Role]] = {"compaction": "compaction", "advisor_message": "other"}
# Who serves a model, by how the ids of its responses begin.
_PROVIDER_OF: Final = {"msg_bdrk_": "aws.bedrock", "msg_vrtx_": "gcp.vertex_ai"}
_PREFIX: Final = len("msg_bdrk_")


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


Row = tuple[Line, Message, str | None, int]
"""A record, the answer in it, the id of the request, and when it was logged."""


class Answer:
    """What the lines of one response come to: the best of them, whole, and when they were logged.

    The best has the most output, then an end, then is first hand.
    """

    __slots__ = (
        "_end_ns",
        "_key",
        "_line",
        "_message",
        "_place",
        "_request_id",
        "_start_ns",
        "_worth",
    )

    def __init__(self, key: str, row: Row, place: Place) -> None:
        """Take the first line of the response that *key* tells apart, and where it belongs."""
        self._key, self._place = key, place
        self._line, self._message, self._request_id, self._start_ns = row
        self._end_ns = self._start_ns
        self._worth = _worth(self._message, is_copy=place.is_copy)

    def take(self, row: Row, *, is_copy: bool) -> bool:
        """Take another line of the same response; returns whether it is better."""
        line, message, request_id, at_ns = row
        if at_ns > self._end_ns:
            self._end_ns = at_ns
        elif at_ns < self._start_ns:
            self._start_ns = at_ns
        worth = _worth(message, is_copy=is_copy)
        if worth <= self._worth:
            return False
        self._worth = worth
        self._line, self._message, self._request_id = line, message, request_id
        return True

    def move(self, place: Place) -> None:
        """Note that it belongs to *place*, but to the session and turn of the first line."""
        first = self._place
        if place is not first:
            self._place = place._replace(session=first.session, turn=first.turn)

    def calls(self) -> Iterator[Call]:
        """Yield the call, and those that the provider made for it."""
        said, place, message = self._message.usage or Usage(), self._place, self._message
        geo = said.inference_geo
        region = geo if geo and _GEO(geo) else None
        model = message.model or None
        yield Call(
            source=NAME,
            session=place.session,
            turn=place.turn,
            key=self._key,
            start_ns=self._start_ns,
            end_ns=self._ended_ns(),
            model=model,
            provider=_provider(self._key, model),
            response_id=message.id or None,
            request_id=self._request_id,
            role=place.role,
            agent=place.agent,
            agent_key=place.agent_key,
            depth=place.depth,
            usage=_usage(said),
            region=region,
            cost_usd=self._line.costUSD,
            outcome="incomplete" if message.stop_reason is None else "complete",
            error_type=_code(self._line.error) if self._line.isApiErrorMessage else None,
            worth=self._worth,
        )
        if said.iterations:
            yield from self._asked_by_provider(said, model, region)

    def _ended_ns(self) -> int | None:
        # One line has one time, which says nothing of how long the call took.
        return self._end_ns if self._end_ns > self._start_ns else None

    def _asked_by_provider(
        self, said: Usage, model: str | None, region: str | None
    ) -> Iterator[Call]:
        """Yield the calls that the provider made, known by their place in the message."""
        iterations, place = said.iterations or [], self._place
        told = _total([said])
        if told == _total(iterations):
            return  # The counts of the message are the sum of all.
        served = [one for one in iterations if one.type == "fallback_message"]
        # Where another model took over, the counts may be those of that one alone.
        kinds = {*_ROLE_OF, "message"} if served and told == _total(served) else {*_ROLE_OF}
        for number, one in enumerate(iterations):
            if one.type not in kinds:
                continue
            answered, key = one.model or model, f"{self._key}:{number}"
            yield Call(
                source=NAME,
                session=place.session,
                turn=place.turn,
                key=key,
                start_ns=self._start_ns,
                end_ns=self._ended_ns(),
                model=answered,
                provider=_provider(key, answered),
                response_id=key,
                role=_ROLE_OF.get(one.type, "other"),
                agent=place.agent,
                agent_key=place.agent_key,
                depth=place.depth,
                usage=_usage(one),
                region=region,
                outcome="complete",
                worth=(one.output_tokens or 0) * 4 + 2 + (not place.is_copy),
            )


def is_call(message: Message) -> bool:
    """Whether a message came from a model, and anything is known of it."""
    return message.model != SYNTHETIC and bool(message.usage or message.model)


def _worth(message: Message, *, is_copy: bool) -> int:
    """Rank what a line says of its response."""
    output = message.usage.output_tokens if message.usage else None
    return (output or 0) * 4 + 2 * (message.stop_reason is not None) + (not is_copy)


def totals(used: dict[str, ModelUsage], session: str, at_ns: int) -> Iterator[Total]:
    """Yield what a record says that all calls of a session have used so far, by model."""
    for model, said in used.items():
        yield Total(
            source=NAME,
            session=session,
            at_ns=at_ns,
            model=model,
            usage=beside(
                said.inputTokens,
                said.outputTokens,
                cache_read=said.cacheReadInputTokens,
                cache_write=said.cacheCreationInputTokens,
                reasoning=said.thinkingTokens,
            ),
            cost_usd=said.costUSD,
        )


def _usage(said: Counts) -> TokenUsage:
    plain, output = said.input_tokens, said.output_tokens
    read, written = said.cache_read_input_tokens, said.cache_creation_input_tokens
    split, details = said.cache_creation, said.output_tokens_details
    hour = split.ephemeral_1h_input_tokens if split else None
    if written is None and split is not None and hour is not None:
        written = hour + (split.ephemeral_5m_input_tokens or 0)
    known = (plain is not None) + (output is not None)
    return TokenUsage(
        None if plain is None else plain + (read or 0) + (written or 0),
        output,
        read,
        written,
        hour,
        details.thinking_tokens if details else None,
        "reported" if known == _BOTH else "partial" if known else "missing",
    )


_BOTH: Final = 2  # sides of a call


def _total(counts: Sequence[Counts]) -> int:
    return sum(
        (one.input_tokens or 0)
        + (one.cache_read_input_tokens or 0)
        + (one.cache_creation_input_tokens or 0)
        + (one.output_tokens or 0)
        for one in counts
    )


def _provider(key: str, model: str | None) -> str | None:
    # Claude Code is also used with models of others, and then nothing says who serves them.
    is_theirs = model is not None and model.startswith("claude")
    return _PROVIDER_OF.get(key[:_PREFIX]) or ("anthropic" if is_theirs else None)


def _code(said: object) -> str:
    """Return the code of an error, never its text."""
    return said if isinstance(said, str) and _CODE(said) else "api_error"
