"""Sessions of programs that keep one total for each, and no single calls."""

from collections.abc import Iterator

from agenttrace.model import TokenUsage
from agenttrace.sources.told import Call, Record, Total, Turn

_TURN = "session"


def whole(
    source: str,
    session: str,
    *,
    start_ns: int,
    at_ns: int,
    usage: TokenUsage,
    model: str | None = None,
    provider: str | None = None,
    cost_usd: float | None = None,
    project: str | None = None,
) -> Iterator[Record]:
    """Yield a session as one task, its total, and one call of role ``other`` with all it used.

    Nobody can tell how many calls that were, so their number is unknown and the tokens are not; as
    the session goes on the call is told again with more of them.

    Args:
        source: Who says it.
        session: Its id.
        start_ns: When it began; all of it counts at that time.
        at_ns: When the total was said.
        usage: Tokens so far.
        model: The model, or the last one.
        provider: Who answered.
        cost_usd: US dollars so far.
        project: Folder that it works in.
    """
    yield Turn(
        source=source,
        session=session,
        turn=_TURN,
        start_ns=start_ns,
        project=project,
        prompts=None,
    )
    yield Total(
        source=source,
        session=session,
        at_ns=at_ns,
        model=model,
        usage=usage,
        cost_usd=cost_usd,
    )
    yield Call(
        source=source,
        session=session,
        turn=_TURN,
        key=f"session:{session}",
        start_ns=start_ns,
        model=model,
        provider=provider,
        role="other",
        usage=usage,
        cost_usd=cost_usd,
    )
