"""What a dialect is, and which one a request speaks."""

import functools
import re
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import msgspec

from agenttrace.model import TokenUsage, UsageState

Counts = dict[str, Any]

_TOO_MANY: Final = 10**12  # more than all calls of a year; whoever says so is mistaken


@dataclass(frozen=True, slots=True)
class Reply:
    """What a response says of itself.

    Attributes:
        response_id: The provider's id.
        model: The model that answered.
        counts: The usage object as the provider sent it; empty if it sent none.
        finished: The counts are final, or the protocol's last event was seen (always true of a
            JSON body).
        error: Type of the error that the provider reported inside a response that began well.
    """

    response_id: str | None = None
    model: str | None = None
    counts: Counts = field(default_factory=dict[str, Any])
    finished: bool = False
    error: str | None = None

    def then(self, later: "Reply") -> "Reply":
        """Continue with what a later part of the stream says; later counts replace earlier ones."""
        return Reply(
            response_id=later.response_id or self.response_id,
            model=later.model or self.model,
            counts={**self.counts, **{k: v for k, v in later.counts.items() if v is not None}},
            finished=later.finished or self.finished,
            error=later.error or self.error,
        )


class Envelope(msgspec.Struct):
    """The fields that count in a response of any of the protocols; all others are skipped."""

    id: Any = None
    model: Any = None
    usage: Any = None


def reply_of(envelope: Envelope | None, *, finished: bool = False) -> Reply:
    """Return what *envelope* says, leaving out what has not the shape it should have."""
    if envelope is None:
        return Reply()
    return Reply(
        response_id=envelope.id if isinstance(envelope.id, str) else None,
        model=envelope.model if isinstance(envelope.model, str) else None,
        counts=mapping(envelope.usage),
        finished=finished,
    )


class Dialect(Protocol):
    """One provider protocol: pure functions from bytes to what they say.

    Attributes:
        operation: The operation's name in the GenAI conventions.
        provider: The provider where the host does not tell.
        interim_counts: A stream begins with counts that are not final.
    """

    operation: str
    provider: str
    interim_counts: bool

    def read_json(self, body: bytes) -> Reply:
        """Read a whole JSON response; raises ``msgspec.MsgspecError`` if it is none."""
        ...

    def read_events(self, data: bytes) -> Reply:
        """Read whole server-sent events, as few of them as hold what counts."""
        ...

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the provider's counts into inclusive input and output; unsaid stays None."""
        ...

    def text_bytes(self, data: bytes) -> int:
        """Count the bytes of generated text in whole server-sent events, for an estimate."""
        ...


def whole(value: object) -> int | None:
    """Return *value* if it can be a count of tokens: a whole number, zero or more."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _TOO_MANY:
        return None
    return value


def counted(
    given: int | None,
    output: int | None,
    *,
    cache_read: int | None = None,
    cache_write: int | None = None,
    cache_write_1h: int | None = None,
    reasoning: int | None = None,
) -> TokenUsage:
    """Make the usage that a provider reported: wholly, partly or not at all."""
    if given is None and output is None:
        state: UsageState = "missing"
    else:
        state = "partial" if given is None or output is None else "reported"
    return TokenUsage(given, output, cache_read, cache_write, cache_write_1h, reasoning, state)


def mapping(value: object) -> Counts:
    """Return *value* if it is a JSON object, else an empty one."""
    return cast("Counts", value) if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Return *value* if it is a JSON array, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def details(counts: Counts, group: str, *names: str) -> tuple[int | None, ...]:
    """Return the counts *names* inside the object *group* of *counts*."""
    inner = mapping(counts.get(group))
    return tuple(whole(inner.get(name)) for name in names)


# By the end of the path, so that any base URL (a gateway, a local server) is recognised.
_TAILS: Final[dict[str, str]] = {
    "/responses": "openai.responses",
    "/embeddings": "openai.embeddings",
    "/messages": "anthropic.messages",
}

# Source: the providers' API references; names as in the GenAI conventions.
_PROVIDERS: Final[tuple[tuple[str, str], ...]] = (
    ("api.openai.com", "openai"),
    (".openai.azure.com", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    ("api.anthropic.com", "anthropic"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.mistral.ai", "mistral_ai"),
    ("api.x.ai", "x_ai"),
    ("api.perplexity.ai", "perplexity"),
    ("openrouter.ai", "openrouter"),
)

_REGION: Final = re.compile(
    r"(?:^|[.-])((?:us|eu|ap|ca|sa|me|af|il|cn|mx)(?:-gov)?-"
    r"(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-?\d)(?=[.-]|$)"
)


def name_of(path: str) -> str | None:
    """Return the name of the dialect that a POST to *path* speaks, if it is one we know."""
    path = path.rstrip("/")
    if path.endswith("/chat/completions"):
        return "openai.chat"
    return _TAILS.get(path[path.rfind("/") :])


def looks_like(name: str, path: str, body: bytes | None) -> bool:
    """Whether a POST whose path ends as that of the dialect *name* has the body of a model call.

    Args:
        name: What ``name_of`` says.
        path: The path.
        body: The request's body; None if it cannot be seen, as that of an upload from a stream.
    """
    if body is None:
        return name == "openai.chat"
    if name == "anthropic.messages" and b'"messages"' not in body:
        return False
    return b'"model"' in body or "/deployments/" in path


@functools.cache
def provider_of(host: str, otherwise: str) -> str:
    """Return the provider that *host* belongs to; a host that is not known keeps *otherwise*."""
    for suffix, provider in _PROVIDERS:
        if host == suffix or host.endswith(suffix if suffix[0] == "." else "." + suffix):
            return provider
    return otherwise


def region_of(host: str) -> str | None:
    """Return the cloud region that *host* names, if it does: ``eu-west-1``, ``us-east5``."""
    found = _REGION.search(host)
    return found.group(1) if found else None
