"""What a dialect is: one provider protocol, as pure functions from bytes to what they say."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple, TypeVar, cast

import msgspec

from agenttrace import semconv
from agenttrace.model import Role, TokenUsage, UsageState

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
        role: The role of the call, where the response is certain of it.
        said: Further attributes, spelt as in ``agenttrace.semconv``.
        also: Further calls that the response tells of: a model that the provider asked on its own,
            or the results of a batch.
    """

    response_id: str | None = None
    model: str | None = None
    counts: Counts = field(default_factory=dict[str, Any])
    finished: bool = False
    error: str | None = None
    role: Role | None = None
    said: Mapping[str, str | int | float | bool] = field(default_factory=dict[str, Any])
    also: "tuple[Reply, ...]" = ()

    def then(self, later: "Reply") -> "Reply":
        """Continue with what a later part of the stream says; later counts replace earlier ones."""
        return Reply(
            response_id=later.response_id or self.response_id,
            model=later.model or self.model,
            counts={**self.counts, **{k: v for k, v in later.counts.items() if v is not None}},
            finished=later.finished or self.finished,
            error=later.error or self.error,
            role=later.role or self.role,
            said={**self.said, **later.said},
            also=later.also or self.also,
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


class Asked(NamedTuple):
    """What a request asks for.

    Attributes:
        model: The model.
        stream: Whether the answer is wanted as a stream.
        provider: Who answers, where the request knows it better than the host.
    """

    model: str | None = None
    stream: bool = False
    provider: str | None = None


class Asking(msgspec.Struct):
    """The fields that count in a request of most protocols."""

    model: Any = None
    stream: Any = None


_asking: Final = msgspec.json.Decoder(Asking)


class Dialect:
    """One provider protocol. A subclass says what differs from the most common case.

    All of it is pure: bytes in, values out. Nothing here knows of transports.

    Attributes:
        operation: The operation's name in the GenAI conventions. ``fetch_response`` is no call: the
            response tells of calls that were made before.
        provider: The provider where the host does not tell.
        interim_counts: A stream begins with counts that are not final.
        streams: The content types, in lower case, of responses that are streams.
    """

    operation: ClassVar[str] = semconv.CHAT
    provider: ClassVar[str] = "openai"
    interim_counts: ClassVar[bool] = False
    streams: ClassVar[tuple[str, ...]] = ("text/event-stream",)

    def is_call(self, path: str, body: bytes | None) -> bool:  # noqa: ARG002 - for subclasses
        """Whether a request to a path of this dialect is a model call, by its body.

        Args:
            path: The path, without the query.
            body: The body; None if it cannot be seen, as that of an upload from a stream.
        """
        return body is None or b'"model"' in body

    def asked(self, path: str, body: bytes) -> Asked:  # noqa: ARG002 - for subclasses
        """Read the request."""
        found = decoded(_asking, body)
        if found is None:
            return Asked()
        model = found.model if isinstance(found.model, str) else None
        return Asked(model, stream=found.stream is True)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response; raises ``msgspec.MsgspecError`` if it is none of this protocol."""
        raise NotImplementedError

    def begins_stream(self, data: bytes) -> bool:
        """Whether *data* is the beginning of a stream, whatever the content type says."""
        return data[:16].lstrip().startswith((b"data:", b"event:"))

    def whole(self, data: bytes) -> int:
        """Return how many bytes of *data*, a stream, are whole events: what was cut is not read."""
        return data.rfind(b"\n") + 1

    def read_events(self, data: bytes) -> Reply:  # noqa: ARG002 - for subclasses
        """Read whole events of a stream, decoding as few of them as hold what counts."""
        return Reply()

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the provider's counts into inclusive input and output; unsaid stays None."""
        raise NotImplementedError

    def text_bytes(self, data: bytes) -> int:  # noqa: ARG002 - for subclasses
        """Count the bytes of generated text in whole events, for an estimate."""
        return 0


class Route(NamedTuple):
    """A request that a dialect speaks.

    Attributes:
        method: ``POST`` or ``GET``.
        path: A regular expression without capturing groups, for the end of the path, so that any
            base URL (a gateway, a local server) is recognised.
        dialect: Who reads it.
    """

    method: str
    path: str
    dialect: Dialect


T = TypeVar("T")


def decoded(decoder: "msgspec.json.Decoder[T]", payload: bytes) -> T | None:
    """Decode one payload; None if it is no JSON, or JSON of another shape."""
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


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
