"""What a dialect is: one provider protocol, as pure functions from bytes to what they say."""

import abc
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple, TypeVar, cast

import msgspec

from agenttrace import semconv
from agenttrace.model import Role, TokenUsage, UsageState
from agenttrace.record import reported

Counts = dict[str, Any]


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
            or the results of a batch. Parts of a stream add theirs up.
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
            also=(*self.also, *later.also),
        )


class Envelope(msgspec.Struct):
    """The fields that count in a response of any of the protocols; all others are skipped."""

    id: Any = None
    model: Any = None
    usage: Any = None
    provider: Any = None


def reply_of(envelope: Envelope | None, *, finished: bool = False) -> Reply:
    """Return what *envelope* says, leaving out what has not the shape it should have."""
    if envelope is None:
        return Reply()
    counts = mapping(envelope.usage)
    said: dict[str, str | int | float | bool] = {}
    if counts:
        said.update(modalities(counts))
        if (cost := cost_usd(counts)) is not None:
            said[semconv.COST_USD] = cost
    if isinstance(envelope.provider, str) and envelope.provider:
        said[semconv.UPSTREAM_PROVIDER] = envelope.provider
    return Reply(
        response_id=envelope.id if isinstance(envelope.id, str) else None,
        model=envelope.model if isinstance(envelope.model, str) else None,
        counts=counts,
        finished=finished,
        said=said,
    )


Shapes = tuple[msgspec.json.Decoder[Any], ...]


class Named(msgspec.Struct):
    """A request that names a model; the shape of most."""

    model: str


class Turn(msgspec.Struct):
    """A message of a request."""

    role: str


class Messages(Named):
    """A request that names a model and has messages."""

    messages: list[Turn]


def shaped(*kinds: type[msgspec.Struct]) -> Shapes:
    """Return *kinds* as ``Dialect.shapes``; what a body has besides their fields is skipped."""
    return tuple(map(msgspec.json.Decoder, kinds))


class Asked(NamedTuple):
    """What a request asks for.

    Attributes:
        model: The model.
        stream: Whether the answer is wanted as a stream.
        provider: Who answers, where the request knows it better than the host.
        said: Further attributes, spelt as in ``agenttrace.semconv``.
    """

    model: str | None = None
    stream: bool = False
    provider: str | None = None
    said: Mapping[str, str | int | float | bool] = MappingProxyType({})


class Asking(msgspec.Struct):
    """The fields that count in a request of most protocols."""

    model: Any = None
    stream: Any = None


_asking: Final = msgspec.json.Decoder(Asking)


class Dialect(abc.ABC):
    """One provider protocol. A subclass says what differs from the most common case.

    All of it is pure: bytes in, values out. Nothing here knows of transports.

    Attributes:
        operation: The operation's name in the GenAI conventions. ``fetch_response`` is no call: the
            response tells of calls that were made before.
        provider: The provider where the host does not tell.
        shapes: What the body of a model call can look like, one of them at least; none if no other
            service has a path like this.
        may_be_unseen: A request whose body cannot be seen (an upload) is a call by its path alone.
        always_counts: A whole response says its counts; one that does not is another service's.
        interim_counts: A stream begins with counts that are not final.
        streams: The content types, in lower case, of responses that are streams.
        reads_body: A body that is no stream is worth reading; not so a file, which is long.
        headers: The response headers, in lower case, that ``read_headers`` wants to see.
    """

    operation: ClassVar[str] = semconv.CHAT
    provider: ClassVar[str] = "openai"
    shapes: ClassVar["Shapes"] = ()
    may_be_unseen: ClassVar[bool] = False
    always_counts: ClassVar[bool] = False
    interim_counts: ClassVar[bool] = False
    streams: ClassVar[tuple[str, ...]] = ("text/event-stream",)
    reads_body: ClassVar[bool] = True
    headers: ClassVar[tuple[str, ...]] = ()

    def is_call(self, path: str, body: bytes | None) -> bool:  # noqa: ARG002 - for subclasses
        """Whether a request to a path of this dialect is a model call, by the shape of its body.

        Args:
            path: The path, without the query.
            body: The body; None if it cannot be seen, as that of an upload from a stream.
        """
        if not self.shapes:
            return True
        if body is None:
            return self.may_be_unseen
        return any(decoded(shape, body) is not None for shape in self.shapes)

    def asked(self, path: str, body: bytes) -> Asked:  # noqa: ARG002 - for subclasses
        """Read the request."""
        found = decoded(_asking, body)
        if found is None:
            return Asked()
        model = found.model if isinstance(found.model, str) else None
        return Asked(model, stream=found.stream is True)

    def read_headers(self, headers: Mapping[str, str]) -> Reply:  # noqa: ARG002 - for subclasses
        """Read those of the headers that the response has; what the body says goes over it."""
        return Reply()

    @abc.abstractmethod
    def read_json(self, body: bytes) -> Reply:
        """Read a whole response; raises ``msgspec.MsgspecError`` if it is none of this protocol."""

    def begins_stream(self, data: bytes) -> bool:
        """Whether *data* is the beginning of a stream, whatever the content type says."""
        return data[:16].lstrip().startswith((b"data:", b"event:"))

    def whole(self, data: bytes) -> int:
        """Return how many bytes of *data*, a stream, are whole events: what was cut is not read."""
        return data.rfind(b"\n") + 1

    def read_events(self, data: bytes) -> Reply:  # noqa: ARG002 - for subclasses
        """Read whole events of a stream, decoding as few of them as hold what counts."""
        return Reply()

    def beside(self, reply: Reply) -> tuple[Reply, ...]:
        """Return the further calls that *reply*, of all parts of a response together, tells of."""
        return reply.also

    @abc.abstractmethod
    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the provider's counts into inclusive input and output; unsaid stays None."""

    def text(self, data: bytes) -> str:  # noqa: ARG002 - for subclasses
        """Return all generated text in whole events, for an estimate: it is counted and let go."""
        return ""


class Route(NamedTuple):
    """A request that a dialect speaks.

    Attributes:
        method: ``POST`` or ``GET``.
        path: A regular expression without capturing groups, for the end of the path, so that any
            base URL (a gateway, a local server) is recognised. It begins with a slash.
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


def all_decoded(decoder: "msgspec.json.Decoder[T]", payloads: Iterable[bytes]) -> Iterator[T]:
    """Decode payloads, leaving out those of another shape."""
    return (found for one in payloads if (found := decoded(decoder, one)) is not None)


def joined(pieces: Iterable[object]) -> str:
    """Join those of *pieces* that are text."""
    return "".join(piece for piece in pieces if isinstance(piece, str))


def error_type(*values: object) -> str | None:
    """Return the first of *values* that is the type of an error: a short word or a number.

    What is said about an error may hold what was said to the model, and is not kept.
    """
    for value in values:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value:
            return value if _TYPE.fullmatch(value) else "error"
    return None


_TYPE: Final = re.compile(r"[\w.:/#-]{1,100}")


def token_count(value: object) -> int | None:
    """Return *value* if it can be a count; some providers count in numbers with a point."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return reported.token_count(value)


def counted(
    given: int | None,
    output: int | None,
    *,
    cache_read: int | None = None,
    cache_write: int | None = None,
    cache_write_1h: int | None = None,
    reasoning: int | None = None,
) -> TokenUsage:
    """Make the usage that a provider reported: wholly, partly or not at all.

    A part that is larger than its whole is a mistake, and stays unsaid.
    """
    if given is None and output is None:
        state: UsageState = "missing"
    else:
        state = "partial" if given is None or output is None else "reported"
    if given is not None and (cache_read or 0) + (cache_write or 0) > given:
        cache_read = cache_write = None
    if (cache_write_1h or 0) > (cache_write or 0):
        cache_write_1h = None
    if output is not None and (reasoning or 0) > output:
        reasoning = None
    return TokenUsage(given, output, cache_read, cache_write, cache_write_1h, reasoning, state)


def mapping(value: object) -> Counts:
    """Return *value* if it is a JSON object, else an empty one."""
    return cast("Counts", value) if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Return *value* if it is a JSON array, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def said_only(**counts: object) -> Counts:
    """Return *counts* without those that were not said."""
    return {name: count for name, count in counts.items() if count is not None}


def details(counts: Counts, group: str, *names: str) -> tuple[int | None, ...]:
    """Return the counts *names* inside the object *group* of *counts*."""
    inner = mapping(counts.get(group))
    return tuple(token_count(inner.get(name)) for name in names)


_INPUT_PARTS: Final = (
    ("audio_tokens", semconv.INPUT_AUDIO_TOKENS),
    ("image_tokens", semconv.INPUT_IMAGE_TOKENS),
)
_OUTPUT_PARTS: Final = (
    ("audio_tokens", semconv.OUTPUT_AUDIO_TOKENS),
    ("image_tokens", semconv.OUTPUT_IMAGE_TOKENS),
)
_MODALITIES: Final = (
    ("prompt_tokens_details", _INPUT_PARTS),
    ("completion_tokens_details", _OUTPUT_PARTS),
    ("input_tokens_details", _INPUT_PARTS),
    ("output_tokens_details", _OUTPUT_PARTS),
    # OpenAI's transcriptions and its realtime protocol spell the groups like this.
    ("input_token_details", _INPUT_PARTS),
    ("output_token_details", _OUTPUT_PARTS),
)


def modalities(counts: Counts) -> dict[str, int]:
    """Return how many of the tokens are audio and images, where *counts* says so."""
    found: dict[str, int] = {}
    for group, parts in _MODALITIES:
        # What is read of every response asks for no more than is there.
        if group in counts and (inner := mapping(counts[group])):
            for name, attribute in parts:
                if name in inner and (count := token_count(inner[name])) is not None:
                    found[attribute] = count
    return found


_USD_PER_TICK: Final = 1e-10  # <https://github.com/xai-org/xai-proto>, usage.proto


def cost_usd(counts: Counts) -> float | None:
    """Return what the provider charged, in US dollars, where its usage says so."""
    ticks = token_count(counts.get("cost_in_usd_ticks"))
    if ticks is not None:
        return ticks * _USD_PER_TICK
    cost: object = counts.get("cost")
    cost = mapping(cast("object", cost)).get("total_cost") if isinstance(cost, dict) else cost
    if isinstance(cost, bool) or not isinstance(cost, int | float):
        return None
    return float(cost) if 0 <= cost < reported.TOO_MANY else None


# Source: the providers' API references. The names are those of the GenAI conventions, or made the
# same way where these have none. What ends in a dot is how a host begins, the others are how it
# ends.
_PROVIDERS: Final[tuple[tuple[str, str], ...]] = (
    ("-aiplatform.googleapis.com", "gcp.vertex_ai"),
    (".api.cognitive.microsoft.com", "azure.ai.openai"),
    (".cognitiveservices.azure.com", "azure.ai.openai"),
    (".models.ai.azure.com", "azure.ai.inference"),
    (".openai.azure.com", "azure.ai.openai"),
    (".openai.azure.us", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("api.anthropic.com", "anthropic"),
    ("api.cerebras.ai", "cerebras"),
    ("api.cohere.ai", "cohere"),
    ("api.cohere.com", "cohere"),
    ("api.deepinfra.com", "deepinfra"),
    ("api.deepseek.com", "deepseek"),
    ("api.fireworks.ai", "fireworks_ai"),
    ("api.groq.com", "groq"),
    ("api.hyperbolic.xyz", "hyperbolic"),
    ("api.jina.ai", "jina"),
    ("api.minimax.io", "minimax"),
    ("api.mistral.ai", "mistral_ai"),
    ("api.moonshot.ai", "moonshot_ai"),
    ("api.moonshot.cn", "moonshot_ai"),
    ("api.openai.com", "openai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.sambanova.ai", "sambanova"),
    ("api.siliconflow.cn", "siliconflow"),
    ("api.siliconflow.com", "siliconflow"),
    ("api.together.ai", "together_ai"),
    ("api.together.xyz", "together_ai"),
    ("api.voyageai.com", "voyage_ai"),
    ("api.x.ai", "x_ai"),
    ("api.z.ai", "zhipu_ai"),
    ("bedrock-mantle.", "aws.bedrock"),
    ("bedrock-runtime.", "aws.bedrock"),
    ("codestral.mistral.ai", "mistral_ai"),
    ("dashscope-intl.aliyuncs.com", "alibaba_cloud"),
    ("dashscope-us.aliyuncs.com", "alibaba_cloud"),
    ("dashscope.aliyuncs.com", "alibaba_cloud"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("inference.baseten.co", "baseten"),
    ("integrate.api.nvidia.com", "nvidia"),
    ("models.github.ai", "github"),
    ("open.bigmodel.cn", "zhipu_ai"),
    ("openrouter.ai", "openrouter"),
    ("router.huggingface.co", "hugging_face"),
)

_REGION: Final = re.compile(
    r"(?:^|[.-])((?:us|eu|ap|ca|sa|me|af|il|cn|mx"
    r"|europe|asia|northamerica|southamerica|australia|africa)(?:-gov)?-"
    r"(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-?\d+)(?=[.-]|$)"
)


_AZURE_REGION: Final = re.compile(
    r"(?:^|[.])([a-z]+\d?)\."
    r"(?:api\.cognitive\.microsoft\.com|models\.ai\.azure\.com|inference\.ml\.azure\.com)$"
)


@functools.lru_cache(maxsize=1024)
def provider_of(host: str, otherwise: str) -> str:
    """Return the provider that *host* belongs to; a host that is not known keeps *otherwise*."""
    return next((provider for mark, provider in _PROVIDERS if _has(host, mark)), otherwise)


def _has(host: str, mark: str) -> bool:
    if mark[-1] == ".":
        return host.startswith(mark)
    return host == mark or host.endswith(mark if mark[0] in ".-" else "." + mark)


def region_of(host: str) -> str | None:
    """Return the cloud region that *host* names: ``eu-west-1``, ``us-east5``, ``westeurope``."""
    found = _REGION.search(host) or _AZURE_REGION.search(host)
    return found.group(1) if found else None
