"""What a request asks, what a reply says, and what was billed for it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields
from itertools import takewhile
from typing import Any, Literal

JSON = Mapping[str, Any]

Outcome = Literal["open", "complete", "abandoned", "cut", "failed"]
Usage = Literal["reported", "partial", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens of one call. Input and output are inclusive, whatever the protocol's spelling.

    Cache reads and writes are part of the input, one-hour writes part of the writes, reasoning
    part of the output; audio and images are parts of both.
    """

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    output_audio_tokens: int = 0
    output_image_tokens: int = 0

    @property
    def uncached_tokens(self) -> int:
        """Input that was neither read from the cache nor written to it."""
        return self.input_tokens - self.cache_read_tokens - self.cache_write_tokens

    def __add__(self, other: "Tokens") -> "Tokens":
        """Add kind by kind: ``sum(provider.ledger, Tokens())`` is what a run cost."""
        return Tokens(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in _KINDS}
        )


_KINDS = fields(Tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed(Tokens):
    """One attempt that the provider worked on and billed."""

    number: int  # of the request, so provider.requests[number - 1] is what was asked
    provider: str
    endpoint: str  # such as "/v1/messages"
    operation: str
    model: str  # that answered
    response_id: str | None  # embeddings have none
    status: int  # the HTTP status that the client saw
    stream: bool
    usage: Usage  # how much of these tokens was reported to the client
    outcome: Outcome  # open: still being sent; abandoned: the client left; cut: the provider did


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt, as text; ``tool`` is the result of a tool in every protocol."""

    role: Literal["user", "assistant", "tool"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, understood the same way whatever its protocol."""

    number: int  # 1 is the first that this provider received
    provider: str
    endpoint: str
    operation: str
    model: str
    stream: bool
    system: str  # system and developer messages, instructions
    messages: tuple[Message, ...]
    tools: JSON  # name of each tool offered -> JSON schema of its arguments
    must_call: str  # the tool that tool_choice demands, else ""
    output_schema: JSON | None  # JSON schema that response_format asks for
    prompt: str  # all that is counted: tools, system and messages as text
    body: JSON  # as it came
    headers: Mapping[str, str]  # names in lower case

    @property
    def user(self) -> str:
        """Text of the last user message, or an empty string."""
        return next((one.text for one in reversed(self.messages) if one.role == "user"), "")

    @property
    def tool_results(self) -> tuple[str, ...]:
        """Texts of the tool messages after the last user message."""
        since = takewhile(lambda message: message.role != "user", reversed(self.messages))
        return tuple(message.text for message in since if message.role == "tool")[::-1]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called."""

    name: str
    # Text travels as it is, so that a test can send arguments that are no JSON.
    arguments: JSON | str = field(default_factory=dict[str, Any])
    id: str = ""  # the provider makes one up

    @property
    def json(self) -> str:
        """The arguments as they travel."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Inner:
    """A call that the provider makes on its own while it works on a request.

    Args:
        kind: What for: ``compaction`` sums up a long conversation, ``advisor_message`` asks a
            stronger model for advice.
        tokens: What it is billed, in a line of the ledger of its own.
        model: Which model is asked, if another one than answers.
    """

    kind: str
    tokens: Tokens
    model: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says, and how its answer travels.

    Args:
        text: The answer.
        tool_calls: Tools that the model wants called.
        thinking: Reasoning. Always billed as reasoning tokens; shown where the protocol shows it
            (Anthropic thinking blocks, summaries of the Responses API), else hidden.
        tokens: What is billed, instead of what counting the text gives.
        inner: Calls that the provider makes on its own; Anthropic's protocol tells of them.
        usage: ``missing`` leaves the usage out of the response, ``null`` sends it with nulls.
        model: Model named in the response, if another one than was asked for.
        delay_s: Seconds before the first byte.
        chunk_delay_s: Seconds before each piece of a stream.
        cut_after: Close the connection after so many pieces of a stream; a response that is not
            streamed is cut in its middle, whatever the number.
        stall_after: Send nothing more after so many pieces, until the client leaves or the
            provider stops; a response that is not streamed never begins.
        body: Sent instead of the response's JSON, as it is. The work is billed all the same.
        headers: Response headers besides the usual ones.
    """

    text: str = ""
    _: KW_ONLY
    tool_calls: Sequence[ToolCall] = ()
    thinking: str = ""
    tokens: Tokens | None = None
    inner: Sequence[Inner] = ()
    usage: Literal["reported", "missing", "null"] = "reported"
    model: str = ""
    delay_s: float = 0.0
    chunk_delay_s: float = 0.0
    cut_after: int | None = None
    stall_after: int | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that fails.

    Args:
        status: HTTP status, such as 429, 500 or 529.
        work: The reply that the model had finished when it failed: billed, never delivered.
            None fails before any work.
        after: Begin the stream of *work* (or of the provider's default reply) and break it with
            an error event after so many pieces; these are billed. A request that does not
            stream fails at once.
        message: Text of the error.
        delay_s: Seconds before the response.
        retry_after_s: Sent as ``retry-after`` and ``retry-after-ms``; short, so that a client
            that retries does not slow the test down. None sends neither.
        headers: Response headers besides the usual ones.
    """

    status: int
    _: KW_ONLY
    work: Reply | str | None = None
    after: int | None = None
    message: str = ""
    delay_s: float = 0.0
    retry_after_s: float | None = 0.001
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
