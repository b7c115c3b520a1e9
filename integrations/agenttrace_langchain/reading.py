"""Read what LangChain says of a model and of its answer: names and counts, never what was said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agenttrace import TokenUsage, semconv
from agenttrace.integration import provider_name, token_count, token_usage

Attributes = dict[str, str | bool | int | float]

# What LangChain's own middleware calls a model for, in the metadata of that call.
_ROLE: Final = {
    "summarization": "summary",
    "tool_emulation": "tool",
    "tool_selection": "router",
}
_SUMMING_UP: Final = "SummarizationMiddleware."  # its nodes, before it said so in the metadata

_SESSION_KEYS: Final = ("thread_id", "session_id", "conversation_id")
_TIERS: Final = ("", "priority_", "flex_")  # service tiers of OpenAI, which prefix the details


@dataclass(frozen=True, slots=True)
class Answer:
    """What the end of a model run says.

    Attributes:
        usage: Tokens, as the model's integration reports them.
        attributes: Response id and model.
        cached: It came out of LangChain's cache.
    """

    usage: TokenUsage
    attributes: Attributes
    cached: bool


def name_of(details: Mapping[str, Any], serialized: Mapping[str, Any]) -> str:
    """Return what LangChain calls a run: the name given to it, else that of its object."""
    for name in (details.get("name"), serialized.get("name")):
        if isinstance(name, str) and name:
            return name
    path = serialized.get("id")
    return str(path[-1]) if path else "chain"


def session_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the conversation that a run belongs to, if its metadata names one."""
    for key in _SESSION_KEYS:
        value = metadata.get(key)
        if isinstance(value, str | int):
            return str(value)
    return None


def role_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the role of a model call, if LangChain itself makes it."""
    if str(metadata.get("langgraph_node")).startswith(_SUMMING_UP):
        return "summary"
    return _ROLE.get(str(metadata.get("lc_source")))


def model_of(metadata: Mapping[str, Any], params: Mapping[str, Any]) -> Attributes:
    """Return provider and model as attributes, as far as they are known before the call."""
    found: Attributes = {}
    provider = metadata.get("ls_provider")
    if isinstance(provider, str):
        found[semconv.PROVIDER_NAME] = provider_name(provider)
    for model in (metadata.get("ls_model_name"), params.get("model"), params.get("model_name")):
        if isinstance(model, str):
            found[semconv.REQUEST_MODEL] = model
            break
    return found


def answer_of(result: Any) -> Answer:
    """Read an ``LLMResult``, or what there is of one after an error."""
    usage: Mapping[str, Any] = {}
    attributes: Attributes = {}
    cached = False
    for generation in _generations(result):
        message = getattr(generation, "message", None)
        said = _mapping(getattr(message, "usage_metadata", None))
        cached = cached or said.get("total_cost") == 0
        usage = usage or said
        response = _mapping(getattr(message, "response_metadata", None))
        for key, value in (
            # Streams do not tell LangChain the id, and the message has one of its own.
            (semconv.RESPONSE_ID, response.get("id")),
            (semconv.RESPONSE_MODEL, response.get("model_name") or response.get("model")),
        ):
            if isinstance(value, str):
                attributes.setdefault(key, value)
    output = _mapping(getattr(result, "llm_output", None))
    if not usage:
        usage = _legacy_usage(_mapping(output.get("token_usage")))
    return Answer(_usage(usage), {**attributes, **_audio(usage)}, cached)


def _generations(result: Any) -> list[Any]:
    return [one for batch in getattr(result, "generations", None) or () for one in batch]


def _legacy_usage(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Spell the counts of a completion model like those of a chat model."""
    return {
        "input_tokens": said.get("prompt_tokens"),
        "output_tokens": said.get("completion_tokens"),
    }


def _usage(said: Mapping[str, Any]) -> TokenUsage:
    """Read ``UsageMetadata``, whose input and output include their details."""
    into = _mapping(said.get("input_token_details"))
    out = _mapping(said.get("output_token_details"))
    kept_1h = token_count(into.get("ephemeral_1h_input_tokens"))
    parts = _sum(token_count(into.get("ephemeral_5m_input_tokens")), kept_1h)
    return token_usage(
        said.get("input_tokens"),
        said.get("output_tokens"),
        cache_read_tokens=_tiered(into, "cache_read"),
        # Where the parts are known, the whole is zero in some versions and their sum in others.
        cache_write_tokens=parts or _tiered(into, "cache_creation"),
        cache_write_1h_tokens=kept_1h,
        reasoning_tokens=_tiered(out, "reasoning"),
    )


def _audio(said: Mapping[str, Any]) -> dict[str, int]:
    """Read how many of the tokens are audio."""
    found = (
        (semconv.INPUT_AUDIO_TOKENS, _tiered(_mapping(said.get("input_token_details")), "audio")),
        (semconv.OUTPUT_AUDIO_TOKENS, _tiered(_mapping(said.get("output_token_details")), "audio")),
    )
    return {key: count for key, count in found if count is not None}


def _tiered(details: Mapping[str, Any], name: str) -> int | None:
    return _sum(*(token_count(details.get(tier + name)) for tier in _TIERS))


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}  # pyright: ignore[reportUnknownVariableType] - JSON of any shape
