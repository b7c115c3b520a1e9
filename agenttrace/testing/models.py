"""The lists of models. Any name is answered; these are the ones that the lists show."""

from agenttrace.testing.protocol import Desk, Incoming, Route, Sent

_OPENAI = ("gpt-5", "gpt-5-mini", "text-embedding-3-small", "text-embedding-3-large")
_ANTHROPIC = ("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5")


def models(_desk: Desk, incoming: Incoming) -> Sent:
    """List the models, the way the provider does whose SDK asks."""
    return _anthropic() if "anthropic-version" in incoming.headers else _openai()


def _openai() -> Sent:
    found = [
        {"id": name, "object": "model", "created": at, "owned_by": "agenttrace"}
        for at, name in enumerate(_OPENAI, 1)
    ]
    return Sent(200, {"object": "list", "data": found})


def _anthropic() -> Sent:
    found = [
        {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
        for name in _ANTHROPIC
    ]
    ends = {"first_id": _ANTHROPIC[0], "last_id": _ANTHROPIC[-1]}
    return Sent(200, {"data": found, "has_more": False, **ends})


def routes() -> list[Route]:
    """Return the page of this module."""
    return [Route("GET", "/v1/models", models)]
